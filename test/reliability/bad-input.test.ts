import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { createRandom } from '../chaos/random.ts';
import { allBooked, assertSound, failedJobs, query } from '../rig/books.ts';
import { stars } from '../rig/partners.ts';
import { allAt, EVERYTHING } from '../rig/everything.ts';
import { numberFrom } from '../rig/number-option.ts';
import { openOutside, type Outside } from '../rig/outside.ts';
import { NAMES, startRig, type Name, type Rig } from '../rig/rig.ts';
import { nastyRequest, ROUTES, wellFormed, type NastyRequest } from './nasty.ts';

/** A million by `npm run fuzz`. */
const REQUESTS = numberFrom('FUZZ_REQUESTS', 15_000);
const SEED = numberFrom('FUZZ_SEED', Date.now() % 1_000_000);
const TOLD_EVERY = 50_000;
const LANES = 16;
/** What a heap may breathe. */
const MAY_GROW_BYTES = 64 * 2 ** 20;
const ANSWER_WITHIN_MS = 30_000;

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';

let rig: Rig;
let outside: Outside;
const agent = new Agent({ keepAlive: true, maxSockets: LANES });
beforeAll(async () => {
  outside = await openOutside();
  rig = await startRig(NAMES, {
    ...EVERYTHING,
    ...allAt(NOWHERE),
    ...outside.env,
  });
}, 120_000);
afterAll(async () => {
  agent.destroy();
  await rig.close();
  await outside.close();
});

// What is not configured says so to everybody, and would bear any nonsense.
test.each(ROUTES)('$service answers $method $path, for it is configured', async (route) => {
  const status = await waitFor(async () => {
    const answered = await send(wellFormed(route));
    return answered !== 503 && answered;
  });
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
});

test(`${REQUESTS} nasty requests (seed ${SEED}) get no 5xx, end no process and leave no memory behind`, async () => {
  const random = createRandom(SEED);
  const wrong: string[] = [];
  const answers: Record<string, number> = {};
  let sent = 0;
  async function lane(upTo: number): Promise<void> {
    while (sent < upTo) {
      sent += 1;
      if (sent % TOLD_EVERY === 0)
        process.stdout.write(`${sent} of ${REQUESTS} requests are sent\n`);
      const nasty = nastyRequest(random);
      const status = await send(nasty);
      answers[status] = (answers[status] ?? 0) + 1;
      // 503 is the documented one: not configured, or not to be kept just now.
      if (status >= 500 && status !== 503) wrong.push(`${status}: ${told(nasty)}`);
      if (sent % TOLD_EVERY === 0)
        process.stdout.write(`${sent} of ${REQUESTS} requests are sent\n`);
    }
  }
  const sendUpTo = (upTo: number) => Promise.all(Array.from({ length: LANES }, () => lane(upTo)));
  await sendUpTo(Math.floor(REQUESTS / 3));
  const before = await memory();
  await sendUpTo(REQUESTS);

  expect(wrong.slice(0, 10)).toEqual([]);
  expect(Object.keys(answers).length).toBeGreaterThan(5);
  for (const name of NAMES) {
    expect(rig.processes.get(name)?.hasEnded(), `${name} has ended`).toBe(false);
  }
  const isGivenBack = async (): Promise<boolean> => {
    const after = await memory();
    for (const name of NAMES) {
      expect(after[name] - before[name], `${name} grew`).toBeLessThan(MAY_GROW_BYTES);
    }
    return true;
  };
  await waitFor(isGivenBack, { timeoutMs: 120_000, everyMs: 1_000 });
}, 7_200_000);

test('bytes that are no HTTP at all are answered 400 or with a closed connection', async () => {
  const body = 'POST /webhook/telegram HTTP/1.1\r\nHost: a\r\n';
  const nonsense: readonly string[] = [
    '\0\0\0\0\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /webhook/../admin HTTP/1.1\r\n\r\n',
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${'b'.repeat(20_000)}\r\n\r\n`,
    `${body}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde`,
    `${body}Content-Length: -1\r\n\r\n`,
    `${body}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${body}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    `${body}Transfer-Encoding: gzip\r\n\r\n`,
    `${body}Content-Length: 3\r\nX : a\r\n\r\nabc`,
    'GET /webhook/\u00ff\u00fe HTTP/1.1\r\nHost: a\r\n\r\n',
  ];
  for (const service of NAMES) {
    for (const bytes of nonsense) {
      const answer = await rawAnswer(service, bytes);
      expect(answer, `${service} to ${JSON.stringify(bytes.slice(0, 80))}`).toMatch(
        /^$|^HTTP\/1\.1 [34]\d\d /,
      );
    }
  }
});

test('a body that never ends holds up nobody else', async () => {
  const slow = connect(Number(new URL(rig.url.crypto).port), '127.0.0.1');
  slow.on('error', () => undefined);
  slow.write(
    'POST /webhook/telegram HTTP/1.1\r\nHost: a\r\nX-Telegram-Bot-Api-Secret-Token: test_Secret-123\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"a":',
  );
  expect((await stars(rig, 'beside-a-slow-one')).status).toBe(200);
  slow.destroy();
});

test('after all of this a payment is booked as ever, and nothing was booked that has no sender', async () => {
  const paid = await stars(rig, 'after-the-fuzz', '77');
  await allBooked(rig, [String(paid.body['id'])], 60_000);
  await assertSound(rig);
  expect(await failedJobs(rig)).toBe(0);
  // Whoever has the key of a door may order and post back; a forger may do nothing.
  const forged = await query(rig, "SELECT event_id FROM inbox WHERE source = 'cryptobot'");
  expect(forged).toEqual([]);
});

function told({ service, method, path, headers, body }: NastyRequest): string {
  const start = body?.toString('latin1').slice(0, 100);
  return JSON.stringify({ service, method, path: path.slice(0, 200), headers, body: start });
}

/** The status; 0 when the connection was closed instead. */
function send({ service, method, path, headers, body }: NastyRequest): Promise<number> {
  const port = Number(new URL(rig.url[service]).port);
  return new Promise((resolve) => {
    const options = { agent, host: '127.0.0.1', port, method, path, headers };
    const asked = request({ ...options, timeout: ANSWER_WITHIN_MS }, (response) => {
      const status = response.statusCode ?? 0;
      // A stream would go on for as long as anybody listens.
      if (response.headers['content-type']?.startsWith('text/event-stream') === true)
        asked.destroy();
      response.resume();
      response.on('close', () => resolve(status));
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', () => resolve(0));
    asked.end(body ?? undefined);
  });
}

function rawAnswer(service: Name, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(rig.url[service]).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    // Half closed: a server that waits for more bytes learns that there will be none.
    socket.end(Buffer.from(bytes, 'latin1'));
  });
}

/** Resident bytes of each process. What was thrown away goes back when it has been quiet for a while. */
async function memory(): Promise<Record<Name, number>> {
  const sizes = await Promise.all(
    NAMES.map(async (name) => {
      const text = await waitFor(async () =>
        (await fetch(`${rig.metricsUrl[name]}/metrics`)).text(),
      );
      return [
        name,
        Number(/^process_resident_memory_bytes\{[^}]*\} (\S+)/m.exec(text)?.[1]),
      ] as const;
    }),
  );
  return Object.fromEntries(sizes) as Record<Name, number>;
}
