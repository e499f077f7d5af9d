import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QUEUES, type KopeckEvent, type QueueName } from '@kopeck/core/event';
import { decodeEvent } from '@kopeck/core/event-schema';
import { receive, type Outcome } from '@kopeck/core/receive';
import type { Delivery, Source } from '@kopeck/core/source';

export interface SourceCase {
  /** A delivery as the partner makes it, and the event that it must become, id and hash included. */
  readonly genuine: Delivery;
  readonly event: Omit<KopeckEvent, 'evidence'>;
  /** What proves the sender: the secret's bytes or the decoded signature's. */
  readonly proof: Buffer;
  /** The genuine delivery with other bytes where the proof stands. */
  readonly withProof: (proof: Buffer) => Delivery;
  /** An authentic delivery of any content: signed, where the source signs its content. */
  readonly authentic: (content: Buffer) => Delivery;
  /** What may stand in no event and in no evidence. */
  readonly secrets: readonly string[];
}

/** What a source must do, whichever it is. Every source's test begins by calling this. */
export function describeSource<P, N, Q>(source: Source<P, N, Q>, given: SourceCase): void {
  describe(`the source ${source.name}`, () => {
    describeGenuine(source, given);
    describeForged(source, given);
    describeSenseless(source, given);
  });
}

function describeGenuine<P, N, Q>(source: Source<P, N, Q>, { genuine, event }: SourceCase): void {
  const expected = { ...event, evidence: expect.any(String) as string };

  test('turns a genuine delivery into one event, the same one each time', async () => {
    for (let time = 0; time < 2; time += 1) {
      const { outcome, events } = await received(source, genuine);
      expect(outcome.kind).toBe('accepted');
      expect(events).toEqual([expected]);
      events.forEach(expectReadable);
    }
  });

  test('answers a repeat with the event that it repeats', async () => {
    const outcome = await receive(source, genuine, async () => 'duplicate');
    expect(outcome).toEqual({ kind: 'duplicate', event: expected });
  });

  test('keeps the bytes as they came', async () => {
    const { events } = await received(source, genuine);
    expect(events.map(evidenceText)).toEqual([genuine.body.toString('latin1')]);
  });
}

function describeForged<P, N, Q>(source: Source<P, N, Q>, given: SourceCase): void {
  const { genuine, proof, withProof } = given;

  test('believes nobody whose proof differs by one bit, is cut short or too long', async () => {
    const other = [Buffer.alloc(0), proof.subarray(0, -1), Buffer.concat([proof, proof])];
    for (const wrong of [...other, ...eachBitFlipped(proof)]) {
      await expectRefused(source, withProof(wrong));
    }
  });

  if (source.proves === 'body') {
    test('believes no body that differs by one bit', async () => {
      for (const body of eachBitFlipped(genuine.body)) {
        await expectRefused(source, { ...genuine, body });
      }
    });
  } else {
    test('proves the sender before the body is read', () => {
      const headOnly = { ...genuine, body: Buffer.alloc(0) };
      expect(source.verify(headOnly)).toEqual(source.verify(genuine));
    });
  }
}

function describeSenseless<P, N, Q>(
  source: Source<P, N, Q>,
  { genuine, authentic, secrets }: SourceCase,
): void {
  test('makes no payment of any bytes, throws on none, and keeps what it cannot read', async () => {
    await fc.assert(
      fc.asyncProperty(contents(), async (content) => {
        const { outcome, events } = await received(source, authentic(content));
        expect(['quarantined', 'ignored']).toContain(outcome.kind);
        for (const event of events) {
          expect(event.type).toBe('quarantined');
          expectReadable(event);
        }
      }),
    );
  });

  test('keeps no secret in an event or in its evidence', async () => {
    for (const delivery of [genuine, authentic(Buffer.from('no sense at all'))]) {
      const { events } = await received(source, delivery);
      const kept = `${JSON.stringify(events)} ${events.map(evidenceText).join(' ')}`;
      for (const secret of secrets) expect(kept).not.toContain(secret);
    }
  });
}

interface Received<Q> {
  readonly outcome: Outcome<Q>;
  readonly events: readonly KopeckEvent[];
}

async function received<P, N, Q>(
  source: Source<P, N, Q>,
  delivery: Delivery,
): Promise<Received<Q>> {
  const events: KopeckEvent[] = [];
  const outcome = await receive(source, delivery, async (event) => {
    events.push(event);
    return 'accepted';
  });
  return { outcome, events };
}

async function expectRefused<P, N, Q>(source: Source<P, N, Q>, delivery: Delivery): Promise<void> {
  const { outcome, events } = await received(source, delivery);
  expect(outcome).toMatchObject({
    kind: 'rejected',
    rejection: expect.stringMatching(/^(forged|hidden)$/) as string,
  });
  expect(events).toEqual([]);
}

/** What the ledger cannot decode would lie on its queue for ever. */
function expectReadable(event: KopeckEvent): void {
  const queues = Object.keys(QUEUES) as QueueName[];
  const queue = queues.find((name) => QUEUES[name].some((source) => source === event.source));
  expect(queue).toBeDefined();
  if (queue !== undefined) decodeEvent(queue, JSON.parse(JSON.stringify(event)));
}

function* eachBitFlipped(bytes: Buffer): Generator<Buffer> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    const at = bit >> 3;
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (bit & 7)), at);
    yield flipped;
  }
}

/** Bytes at random, text at random, and JSON of every shape but the partner's. */
function contents(): fc.Arbitrary<Buffer> {
  return fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.string().map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(text)),
  );
}

function evidenceText({ evidence }: KopeckEvent): string {
  if (evidence === '') return '';
  const { body } = JSON.parse(evidence) as { body: string };
  return Buffer.from(body, 'base64').toString('latin1');
}
