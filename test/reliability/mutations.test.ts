import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { allBooked, assertSound, query } from '../rig/books.ts';
import { allAt } from '../rig/everything.ts';
import { epn, stars } from '../rig/partners.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { SIGNED_ENV, signedRequests, type HttpRequest, type SignedRequest } from './signed.ts';

const LANES = 16;
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';
const AFTER_ALL = {
  click_id: 'after',
  order_number: 'all',
  uniq_id: 'after-all',
  order_status: 'waiting',
  commission_fee: '1.00',
};
/** `npm run fuzz` flips them all; else every ninth of what is long, which is each place in a byte. */
const IS_WHOLE = process.env['MUTATIONS'] === 'all';
const NINTH = 9;
const LONG_BYTES = 100;
const agent = new Agent({ keepAlive: true, maxSockets: LANES });
const bank = generateKeyPairSync('rsa', { modulusLength: 2048 });
const requests = signedRequests(new Date(), bank.privateKey);
/** Where Tochka publishes its key. */
const keys = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(bank.publicKey.export({ format: 'jwk' })));
});

let rig: Rig;
beforeAll(async () => {
  keys.listen(0, '127.0.0.1');
  await once(keys, 'listening');
  const { port } = keys.address() as AddressInfo;
  const urls = { ...allAt(NOWHERE), TOCHKA_KEYS_URL: `http://127.0.0.1:${port}/` };
  rig = await startRig(['sbp', 'crypto', 'epn', 'admin', 'ledger'], { ...SIGNED_ENV, ...urls });
}, 120_000);
afterAll(async () => {
  agent.destroy();
  keys.close();
  await rig.close();
});

const booked: string[] = [];
let flipped = 0;

test('as they were, all are taken', async () => {
  for (const signed of requests) {
    // 503: kept, and not booked yet; whoever sends it comes again, as to any slow machine.
    const { status, body } = await waitFor(async () => {
      const answer = await send(signed, signed.build(valuesOf(signed)));
      return answer.status !== 503 && answer;
    });
    expect(status, signed.name).toBe(signed.taken);
    if (signed.isAboutNothing !== true) booked.push((JSON.parse(body) as { id: string }).id);
  }
  await allBooked(rig, booked);
});

test.each(requests)(
  'any bit of $name that is proved and flipped on the way is refused',
  async (signed) => {
    const wrong: string[] = [];
    let sent = 0;
    const mutants = mutantsOf(signed);
    async function lane(): Promise<void> {
      for (const { what, http } of mutants) {
        sent += 1;
        const { status } = await send(signed, http);
        if (!signed.refused.includes(status)) wrong.push(`${status} to ${what}`);
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane));
    expect(wrong).toEqual([]);
    expect(sent).toBeGreaterThan(60);
    flipped += sent;
  },
);

test('nothing is booked but what was as it was', async () => {
  // Whatever was taken before these is booked when these are.
  const last = [await stars(rig, 'after-all'), await epn(rig, AFTER_ALL)].map(({ body }) => body);
  booked.push(...last.map(({ id }) => String(id)));
  await allBooked(rig, booked);
  const rows = await query(rig, 'SELECT event_id FROM inbox');
  const ids = rows.map((row) => String(row['event_id']));
  expect(ids.toSorted()).toEqual([...new Set(booked)].sort());
  await assertSound(rig);
  process.stdout.write(`${flipped} bits were flipped, one at a time\n`);
});

interface Mutant {
  readonly what: string;
  readonly http: HttpRequest;
}

/** Every bit of every part, one at a time; shared by all lanes, each takes the next. */
function* mutantsOf(signed: SignedRequest): Generator<Mutant> {
  for (const { name, bytes, isSame } of signed.parts) {
    const step = IS_WHOLE || bytes.length < LONG_BYTES ? 1 : NINTH;
    for (let bit = 0; bit < bytes.length * 8; bit += step) {
      const wrong = Buffer.from(bytes);
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const http = signed.build(new Map([...valuesOf(signed), [name, wrong]]));
      const isHarmless = isSame?.(wrong) === true;
      if (!isHarmless && canBeSent(http)) yield { what: `bit ${bit} of ${name}`, http };
    }
  }
}

function valuesOf({ parts }: SignedRequest): ReadonlyMap<string, Buffer> {
  return new Map(parts.map(({ name, bytes }) => [name, bytes]));
}

/** Of heads alone: HTTP has no way to write control characters, nor a blank in a path. */
function canBeSent({ path, headers }: HttpRequest): boolean {
  const isText = Object.values(headers).every((value) => /^[\x20-\x7e\x80-\xff]*$/.test(value));
  return isText && /^[\x21-\x7e]*$/.test(path);
}

function send(
  { service }: SignedRequest,
  { method, path, headers, body }: HttpRequest,
): Promise<{ status: number; body: string }> {
  const port = Number(new URL(rig.url[service]).port);
  return new Promise((resolve, reject) => {
    const options = { agent, host: '127.0.0.1', port, method, path, headers };
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    asked.on('error', reject);
    asked.end(body ?? undefined);
  });
}
