import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { query } from '../rig/books.ts';
import { startRig, type Rig } from '../rig/rig.ts';

const PATH = '/ping/0c7d4b5e-canary-of-the-rig';
const PATIENCE = { timeoutMs: 60_000 };

let rig: Rig;
let pings = 0;
const monitor = createServer((request, response) => {
  if (request.url === PATH && request.method === 'GET') pings += 1;
  response.end('OK');
});

beforeAll(async () => {
  monitor.listen(0, '127.0.0.1');
  await once(monitor, 'listening');
  const { port } = monitor.address() as AddressInfo;
  rig = await startRig(['admin', 'ledger', 'courier'], {
    HEARTBEAT_URL: `http://127.0.0.1:${port}${PATH}`,
    // Two seconds.
    HEARTBEAT_MINUTES: '0.0334',
  });
}, 120_000);
afterAll(async () => {
  await rig.close();
  monitor.close();
});

async function alive(): Promise<void> {
  const before = pings;
  await waitFor(() => pings >= before + 2, { ...PATIENCE, what: 'two pings' });
}

/** How often the courier has looked whether Redis is there: once a second. */
async function looks(): Promise<number> {
  const text = await (await fetch(`${rig.metricsUrl.courier}/metrics`)).text();
  return Number(/^kopeck_probes_total\{probe="redis-down".*\} (\d+)/m.exec(text)?.[1] ?? 0);
}

async function looked(times: number): Promise<void> {
  const before = await looks();
  await waitFor(async () => (await looks()) >= before + times, { ...PATIENCE, what: 'more looks' });
}

/** What was on its way when it began may still arrive; after that there is nothing to be told. */
async function silent(): Promise<void> {
  await looked(3);
  const before = pings;
  await looked(5);
  expect(pings).toBe(before);
}

const OUTAGES = {
  MariaDB: {
    begin: () => rig.mariadb.stop(),
    end: () => rig.mariadb.restart(),
  },
  Redis: {
    begin: () => rig.redis.stop(),
    end: () => rig.redis.restart(),
  },
  'the ledger': {
    begin: () => rig.kill('ledger'),
    end: () => rig.start('ledger'),
  },
  admin: {
    begin: () => rig.kill('admin'),
    end: () => rig.start('admin'),
  },
};

test('while all runs, whoever waits for a sign of life hears it again and again', alive, 120_000);

test.each(Object.entries(OUTAGES))(
  'while %s is away nothing is heard, and afterwards it is again',
  async (_what, { begin, end }) => {
    await begin();
    await silent();
    await end();
    await alive();
  },
  120_000,
);

test('canaries leave nothing in the books, and their URL is in no line of a log', async () => {
  expect(await query(rig, 'SELECT event_id FROM inbox')).toEqual([]);
  expect(await query(rig, 'SELECT id FROM outbox')).toEqual([]);
  for (const { log } of rig.processes.values()) expect(log()).not.toContain('canary-of-the-rig');
});
