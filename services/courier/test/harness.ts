import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { noLog } from '@kopeck/runtime/log';
import { waitFor } from '@kopeck/testing/wait-for';
import type { CourierConfig } from '../src/config.ts';
import type { Courier } from '../src/serve.ts';
import { startCourier } from '../src/start-courier.ts';

export interface Received {
  readonly subject: string;
  readonly text: string;
  readonly to: readonly string[];
}

export interface MailServer {
  readonly url: string;
  readonly received: readonly Received[];
  /** How often a message was offered, taken or not. */
  readonly offered: () => number;
  /** Refuses that many messages, of those whose subject has that word, before it takes one again. */
  readonly refuse: (times: number, word?: string) => void;
  readonly close: () => Promise<void>;
}

/** At a port where one was before, or at a free one. */
export async function startMailServer(port = 0): Promise<MailServer> {
  const received: Received[] = [];
  let refusals = { left: 0, word: '' };
  let offers = 0;

  async function take(message: Readable): Promise<void> {
    const bytes = Buffer.concat(await message.toArray());
    offers += 1;
    const { subject = '', text = '', to = [] } = await PostalMime.parse(bytes);
    if (refusals.left > 0 && subject.includes(refusals.word)) {
      refusals.left -= 1;
      throw new Error('the mailbox is full');
    }
    received.push({ subject, text, to: to.map(({ address }) => address ?? '') });
  }

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData: (stream, _session, done) => callbackify(take)(stream, (error) => done(error)),
  });
  server.on('error', () => undefined);
  const listener = server.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `smtp://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    received,
    offered: () => offers,
    refuse: (left, word = '') => {
      refusals = { left, word };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

type Needed = Pick<CourierConfig, 'DATABASE_URL' | 'REDIS_URL' | 'REDIS_PREFIX'>;

export function startTestCourier(
  config: Needed & Partial<CourierConfig>,
  now: () => Date = () => new Date(),
): Promise<Courier> {
  return startCourier({
    config: {
      HOST: '127.0.0.1',
      TRUST_PROXY: 'loopback',
      LOG_LEVEL: 'error',
      COURIER_PORT: 0,
      COURIER_METRICS_PORT: 0,
      // A machine that is slow is no outage; tests of outages set it themselves.
      COURIER_GRACE_MS: 60_000,
      COURIER_DIGEST_MINUTES: 15,
      COURIER_REMINDER_HOURS: 4,
      COURIER_RETRY_MS: 1,
      ALERTS_PER_HOUR: 1_000,
      ALERTS_PER_DAY: 1_000,
      DISK_LOW_PERCENT: 0,
      MEMORY_LOW_PERCENT: 0,
      CERTIFICATE_DAYS: 7,
      HEARTBEAT_MINUTES: 5,
      TELEGRAM_API_URL: 'http://127.0.0.1:9',
      MESSAGE_LANGUAGE: 'ru',
      MESSAGES: '{}',
      ...config,
    },
    log: noLog,
    now,
    lookEveryMs: 100,
  });
}

/** Resolves after the courier has looked at the database that often, counted from now. */
export async function probed(courier: Courier, times: number): Promise<void> {
  const count = async (): Promise<number> => {
    const text = await (await fetch(`${courier.metricsUrl}/metrics`)).text();
    const [, value = '0'] =
      /^kopeck_probes_total\{probe="database-down".*\} (\d+)/m.exec(text) ?? [];
    return Number(value);
  };
  const before = await count();
  await waitFor(async () => (await count()) >= before + times, {
    what: 'the database to be probed',
  });
}
