import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { makeEvent } from '@kopeck/core/make-event';
import { receive, type Append } from '@kopeck/core/receive';
import { accept, parsed, reject, senseless, type Delivery, type Source } from '@kopeck/core/source';
import { deliveryOf } from '@kopeck/testing/delivery';

type Step = 'verify' | 'parse' | 'normalise';

/** A source as small as it can be: `key` proves the sender, `{"id":…}` is a payment. */
function tinySource(steps: Step[] = []): Source<'proof', string, string> {
  return {
    name: 'epn',
    proves: 'body',
    evidenceHeaders: [],
    verify(delivery) {
      steps.push('verify');
      const key = delivery.header('key');
      if (key === undefined) return reject('malformed');
      return key === 'right' ? accept('proof') : reject('forged');
    },
    parse({ body }) {
      steps.push('parse');
      const record = parseJsonText(body);
      const id = isRecord(record) ? textAt(record, 'id') : null;
      return id === null ? senseless('no_id', { error: 'id is missing' }) : parsed(id);
    },
    normalise(id, _proof, delivery) {
      steps.push('normalise');
      if (id === 'ping') return { kind: 'ignored', reason: 'ping' };
      if (id === 'ask') return { kind: 'question', question: 'may I?' };
      if (id === 'odd') return senseless('odd_id');
      return { kind: 'event', event: eventOf(id, delivery) };
    },
  };
}

function eventOf(id: string, { receivedAt }: Delivery): KopeckEvent {
  return makeEvent({
    source: 'epn',
    type: 'affiliate.waiting',
    identity: [id],
    subject: `affiliate:test:${id}`,
    time: null,
    receivedAt,
    network: 'main',
    money: null,
    reference: null,
    data: {
      partner: 'test',
      actionId: id,
      actionKind: 'native',
      clickId: '1',
      orderNumber: '1',
      rawStatus: 'waiting',
      commission: null,
      revenue: null,
      fields: {},
    },
    evidence: '',
  });
}

function send(body: string, key: string | null = 'right'): Delivery {
  return deliveryOf({ body: Buffer.from(body), headers: key === null ? {} : { key } });
}

function collector(): { events: KopeckEvent[]; append: Append } {
  const events: KopeckEvent[] = [];
  return {
    events,
    append: async (event) => {
      events.push(event);
      return events.filter(({ id }) => id === event.id).length > 1 ? 'duplicate' : 'accepted';
    },
  };
}

test('an authentic delivery becomes one event, and a repeat is told from it', async () => {
  const { events, append } = collector();
  const first = await receive(tinySource(), send('{"id":"7"}'), append);
  const second = await receive(tinySource(), send('{"id":"7"}'), append);

  expect([first.kind, second.kind]).toEqual(['accepted', 'duplicate']);
  expect(events.map(({ id }) => id)).toEqual([events[0]?.id, events[0]?.id]);
});

test.each([
  ['forged', '{"id":"7"}', 'wrong'],
  ['forged', 'no sense', 'wrong'],
  ['malformed', '{"id":"7"}', null],
])('%s: the body %s with the key %s is neither read nor kept', async (rejection, body, key) => {
  const steps: Step[] = [];
  const { events, append } = collector();
  const outcome = await receive(tinySource(steps), send(body, key), append);

  expect(outcome).toEqual({ kind: 'rejected', rejection });
  expect(steps).toEqual(['verify']);
  expect(events).toEqual([]);
});

test('the steps are taken in order, each once', async () => {
  const steps: Step[] = [];
  await receive(tinySource(steps), send('{"id":"7"}'), collector().append);
  expect(steps).toEqual(['verify', 'parse', 'normalise']);
});

test.each([
  ['parsed', 'no sense', 'no_id', { error: 'id is missing' }],
  ['normalised', '{"id":"odd"}', 'odd_id', undefined],
])('what cannot be %s is kept under the hash of its bytes', async (_step, body, ...words) => {
  const [reason, complaint] = words;
  const { events, append } = collector();
  const outcome = await receive(tinySource(), send(body), append);

  const raw = createHash('sha256').update(body).digest('hex');
  expect(outcome).toMatchObject({ kind: 'quarantined', cause: { reason } });
  expect(outcome.kind === 'quarantined' && outcome.cause.complaint).toEqual(complaint);
  expect(events).toMatchObject([
    {
      type: 'quarantined',
      source: 'epn',
      subject: `quarantine:epn:${raw}`,
      data: { reason },
      evidence: expect.stringContaining(Buffer.from(body).toString('base64')) as string,
    },
  ]);
});

test('senseless bodies are events of their own, and the same one is the same event', async () => {
  const { events, append } = collector();
  for (const body of ['a', 'b', 'a']) await receive(tinySource(), send(body), append);
  expect(new Set(events.map(({ id }) => id)).size).toBe(2);
  expect(events[2]?.id).toBe(events[0]?.id);
});

test('a senseless body first takes nothing from its genuine twin', async () => {
  const alone = collector();
  await receive(tinySource(), send('{"id":"7"}'), alone.append);

  const { events, append } = collector();
  await receive(tinySource(), send('{"id":"7"'), append);
  const twin = await receive(tinySource(), send('{"id":"7"}'), append);

  expect(twin.kind).toBe('accepted');
  expect(events[1]).toEqual(alone.events[0]);
});

test.each([
  ['{"id":"ping"}', { kind: 'ignored', reason: 'ping' }],
  ['{"id":"ask"}', { kind: 'question', question: 'may I?' }],
])('%s is nothing to keep', async (body, expected) => {
  const { events, append } = collector();
  expect(await receive(tinySource(), send(body), append)).toEqual(expected);
  expect(events).toEqual([]);
});

test.each(['{"id":"7"}', 'no sense'])(
  'when %s cannot be kept, nobody is told that it was',
  async (body) => {
    const full: Append = () => Promise.reject(new Error('the disk is full'));
    await expect(receive(tinySource(), send(body), full)).rejects.toThrow('the disk is full');
  },
);
