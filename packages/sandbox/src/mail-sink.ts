import { once } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import { SMTPServer } from 'smtp-server';

export interface MailSinkOptions {
  /** Gets one file per message: <time>-<number>.eml, in the order of arrival. */
  readonly dir: string;
  readonly now: () => Date;
}

export interface MailSink {
  /** Port 0 takes a free one. Resolves to `smtp://127.0.0.1:9125`. */
  readonly listen: (port?: number, host?: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

export const MAIL_SINK_PORT = 9125;

const CLOSE_TIMEOUT_MS = 500;

/** Takes every mail for everybody, and keeps it as it came instead of delivering it. */
export function createMailSink({ dir, now }: MailSinkOptions): MailSink {
  let arrived = 0;

  async function keep(message: Readable): Promise<void> {
    const bytes = Buffer.concat(await message.toArray());
    arrived += 1;
    const time = now().toISOString().replaceAll(/[:.]/g, '-');
    const file = join(dir, `${time}-${String(arrived).padStart(4, '0')}.eml`);
    await mkdir(dir, { recursive: true });
    // Whoever watches the folder sees whole messages only.
    await writeFile(`${file}.tmp`, bytes);
    await rename(`${file}.tmp`, file);
  }

  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: CLOSE_TIMEOUT_MS,
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
    onData: (stream, _session, done) => callbackify(keep)(stream, (error) => done(error)),
  });
  server.on('error', () => undefined); // a client that hangs up in the middle

  return {
    async listen(port = MAIL_SINK_PORT, host = '127.0.0.1') {
      const listener = server.listen(port, host);
      await once(listener, 'listening');
      return `smtp://${host}:${(listener.address() as AddressInfo).port}`;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
