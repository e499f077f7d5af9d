import { describe, expect, test } from 'vitest';
import type { EventData, EventType, KopeckEvent, SourceName } from '@kopeck/core/event';
import { decodeEvent, UndecodableEvent } from '@kopeck/core/event-schema';
import { makeEvent } from '@kopeck/core/make-event';

const roubles = { asset: 'RUB', amount: '100' };

const payment = {
  provider: 'raiffeisen',
  app: 'MA1',
  paymentId: 'P1',
  reference: '',
  paid: roubles,
  price: null,
  fee: { asset: 'RUB', amount: '0' },
  swap: null,
  payer: null,
  recurring: null,
} as const;

const affiliate = {
  partner: 'epn_bz',
  actionId: 'EPN-1',
  actionKind: 'native',
  clickId: '123',
  orderNumber: 'ORDER-001',
  rawStatus: 'waiting',
  commission: roubles,
  revenue: null,
  fields: { offer_id: '', order_status: 'waiting' },
} as const;

/** An example of every type: the compiler asks for the next one. */
const EXAMPLES: { readonly [T in EventType]: EventData[T] } = {
  'order.created': {
    orderId: 'order-1',
    price: roubles,
    grants: [
      { kind: 'credit', user: '5123', asset: 'NDN', amount: '1500' },
      { kind: 'subscription', user: '5123', plan: 'pro', days: 30 },
    ],
    user: null,
  },
  'payment.paid': payment,
  'payment.failed': { ...payment, recurring: 'first' },
  'payment.expired': { ...payment, payer: '5123', reference: null },
  'payment.refunded': {
    ...payment,
    paid: null,
    refundId: 'R1',
    refunded: roubles,
    cumulative: null,
  },
  'subscription.changed': { app: '7', user: '5123', reference: 'x', state: 'canceled' },
  'media.purchased': { app: '7', user: '5123', reference: '' },
  'affiliate.waiting': affiliate,
  'affiliate.pending': { ...affiliate, actionKind: 'synthetic' },
  'affiliate.completed': affiliate,
  'affiliate.rejected': affiliate,
  'review.settled': {
    eventId: 'sbp.payment.paid.x',
    reason: 'order-unknown',
    by: 'anna',
    why: 'so',
  },
  'review.dismissed': { eventId: 'x', reason: 'conflict', by: 'anna', why: 'seen' },
  'config.refreshed': { purchaseId: '1', operationId: 'op', result: 'ok', links: 3 },
  heartbeat: { copy: '5b1f6e2a' },
  quarantined: { reason: 'no_sense' },
};

function example(type: EventType, source: SourceName = 'sbp'): KopeckEvent {
  return makeEvent({
    source,
    type,
    identity: ['1'],
    subject: 'subject:1',
    time: new Date('2026-10-05T12:00:00.000Z'),
    receivedAt: new Date('2026-10-05T12:00:01.000Z'),
    network: 'test',
    money: null,
    reference: null,
    data: EXAMPLES[type],
    evidence: '',
  });
}

/** Through Redis and back. */
function wired(event: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(event)) as Record<string, unknown>;
}

const TYPES = Object.keys(EXAMPLES) as EventType[];

describe('an event that was made here', () => {
  test.each(TYPES)('is understood again: %s', (type) => {
    const event = wired(example(type));
    expect(decodeEvent('events-sbp', event)).toBe(event);
  });

  test.each(TYPES)('is refused without any one of its fields: %s', (type) => {
    const event = wired(example(type));
    for (const field of Object.keys(event)) refuse(without(event, field));

    const data = event['data'] as Record<string, unknown>;
    for (const field of Object.keys(data)) refuse({ ...event, data: without(data, field) });
  });

  test('may carry fields in its data that are newer than this release', () => {
    const event = wired(example('quarantined'));
    const data = { ...(event['data'] as object), hint: 'of a later release' };
    expect(decodeEvent('events-sbp', { ...event, data })).toMatchObject({ data });
  });
});

describe('the queue', () => {
  test.each([
    ['events-sbp', ['sbp']],
    ['events-crypto', ['cryptobot', 'telegram', 'crypto']],
    ['events-epn', ['epn']],
    ['events-admin', ['admin']],
  ] as const)('%s is for %s and for nobody else', (queue, allowed) => {
    const speakers = ['sbp', 'cryptobot', 'telegram', 'crypto', 'epn', 'admin'] as const;
    for (const source of speakers) {
      const event = wired(example('quarantined', source));
      const isAllowed = (allowed as readonly string[]).includes(source);
      if (isAllowed) expect(decodeEvent(queue, event)).toBe(event);
      else refuse(event, queue);
    }
  });

  test('believes no event under an id of another source or type', () => {
    const event = wired(example('payment.paid'));
    for (const id of [
      example('payment.failed').id,
      example('payment.paid', 'epn').id,
      'sbp.payment.paid.',
      `${event['id'] as string}0`,
      `${event['id'] as string}\n`,
      'SBP.payment.paid.0000000000000000000000000000000000000000',
    ]) {
      refuse({ ...event, id });
    }
  });
});

describe('money on a queue', () => {
  test.each(['100.00', '0100', '1e2', '+1', '-1', '-0', '', '1,5', '1000000000000000', 'NaN'])(
    'is not the amount %j',
    (amount) => {
      refusePaid({ asset: 'RUB', amount });
    },
  );

  test.each([100, 1.5, true, [], null])('is not the amount %j', (amount) => {
    refusePaid({ asset: 'RUB', amount });
  });

  test.each(['', 'R', 'rub', 'R U', 'ABCDEFGHIJKLMNOPQ', 643])(
    'is not of the asset %j',
    (asset) => {
      refusePaid({ asset, amount: '1' });
    },
  );

  test.each([{}, { asset: 'RUB' }, { amount: '1' }, 'RUB 1', 1, [roubles]])('is not %j', (paid) => {
    refusePaid(paid);
  });

  test('is not an amount of a grant that nobody could book', () => {
    const event = wired(example('order.created'));
    for (const amount of ['-1', '1.0', '1e9', 'all']) {
      const grants = [{ kind: 'credit', user: '1', asset: 'NDN', amount }];
      refuse({ ...event, data: { ...(event['data'] as object), grants } });
    }
  });
});

describe('what is no event', () => {
  test.each([undefined, null, '', 'text', 0, true, [], {}, [[]], { type: 'payment.paid' }])(
    'is refused and crashes nothing: %j',
    (value) => {
      refuse(value);
    },
  );

  test.each([
    ['type', '__proto__'],
    ['type', 'toString'],
    ['type', ['payment.paid']],
    ['source', ['sbp']],
    ['id', 1],
    ['id', { startsWith: 'x' }],
    ['data', null],
    ['data', []],
    ['time', 'yesterday'],
    ['time', 1759665600000],
    ['receivedat', ''],
    ['contenthash', 'ABC'],
    ['network', 'prod'],
    ['specversion', '0.3'],
    ['subject', 'x'.repeat(301)],
    ['subject', ''],
    ['evidence', {}],
  ])('is refused: %s is %j', (field, value) => {
    refuse({ ...wired(example('payment.paid')), [field]: value });
  });

  test('is refused in words that quote nothing of it', () => {
    const secret = 'not-for-a-log';
    const event = wired(example('payment.paid'));
    const data = { ...payment, paid: { asset: 'RUB', amount: secret }, payer: [secret] };
    for (const wrong of [{ ...event, data }, { ...event, contenthash: secret }, { type: secret }]) {
      expect(() => decodeEvent('events-sbp', wrong)).toThrow(
        expect.objectContaining({
          message: expect.not.stringContaining(secret) as string,
        }) as Error,
      );
    }
  });
});

function refusePaid(paid: unknown): void {
  refuse({ ...wired(example('payment.paid')), data: { ...payment, paid } });
}

function refuse(value: unknown, queue: Parameters<typeof decodeEvent>[0] = 'events-sbp'): void {
  expect(() => decodeEvent(queue, value)).toThrow(UndecodableEvent);
}

function without(record: Record<string, unknown>, field: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== field));
}
