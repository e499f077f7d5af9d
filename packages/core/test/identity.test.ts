import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventType, SourceName } from '@kopeck/core/event';
import { contentHash, eventId, jobId } from '@kopeck/core/identity';
import type { Money } from '@kopeck/core/money';

/**
 * One vector per source. The digits come from another program: `printf '%s' '<json>' | sha256sum`,
 * where <json> is the array below as JSON without spaces; an id has its first 40. Should one of them
 * change, every event that lies in a journal, a queue or a ledger loses its identity.
 */
const IDS: readonly (readonly [SourceName, EventType, string, string])[] = [
  [
    'sbp',
    'payment.paid',
    '["raiffeisen","AD100004BAL7227F9BNP6KNE007J9B3K"]',
    'f4e211816138aa1b9c5457d470eb41369fa7bbb5',
  ],
  [
    'cryptobot',
    'payment.paid',
    '["31337","main","12345"]',
    'a76defc3462dd683febf221861bdc9cf313f7be2',
  ],
  [
    'telegram',
    'payment.refunded',
    '["7000000001","stxAbCdEf_0-9"]',
    '8c9066ae079d164bb0e535787eb764e3ae2bad6d',
  ],
  ['crypto', 'order.created', '["kp_7Zq"]', 'f833f9aa83fe4ff0dc4f59ae6f83bed6c6bb6409'],
  [
    'epn',
    'affiliate.completed',
    '["epn_bz","EPN-12345","1500","100","RUB"]',
    '8e908a621d208c9720642257ec317e5d2985f083',
  ],
  [
    'admin',
    'config.refreshed',
    '["1","9f1c1e0a-5b1f-4c57-8a52-6f2f0a0c7d11"]',
    'a4c62a4c8eec330b784111eef56a6e538a6e8505',
  ],
  [
    'sbp',
    'quarantined',
    '["6f834f901d03983fb77b712a97374f71841dcd8a6720d483fcf171cbbe7e2760"]',
    'cb3820654cf76fc501731fd569977760e2f61ece',
  ],
];

/** The SHA-256 of [type, subject, asset, amount, reference], where what is missing is ''. */
const CONTENTS: readonly (readonly [EventType, string, Money | null, string | null, string])[] = [
  [
    'payment.paid',
    'payment:sbp:raiffeisen:AD100004BAL7227F9BNP6KNE007J9B3K',
    { asset: 'RUB', amount: '100' },
    'order-id-hash',
    '0cef300c8d6c6d2fb27d723872e6f52ea203f0bc3cb75977e12a1415a6cc0986',
  ],
  [
    'payment.paid',
    'payment:cryptobot:31337:main:12345',
    { asset: 'USDT', amount: '4.5' },
    '{"user_id":1}',
    'd2068978ee5c87902f91d5a1cb0de3717ca56303b8eae7daf080cbf016da2fdf',
  ],
  [
    'payment.paid',
    'payment:telegram:7000000001:stxAbCdEf_0-9',
    { asset: 'XTR', amount: '150' },
    'Заказ №5',
    'd87a14c2ef12df1ee2f0bd5aa090c20f19c52db186d27a2e8f2d60eff009a9a3',
  ],
  [
    'order.created',
    'order:crypto:kp_7Zq',
    { asset: 'TON', amount: '0.000000001' },
    'kp_7Zq',
    'ab042cf460a8b9196de69e36c5a77a4df13db9abc83b1eb597158fe15297a350',
  ],
  [
    'affiliate.completed',
    'affiliate:epn_bz:EPN-12345',
    { asset: 'RUB', amount: '100' },
    'ORDER-001',
    '5183f01fc34836cd8bcb82c57c09daeacef8039a8494ae25ec09635e7b59ae8f',
  ],
  [
    'config.refreshed',
    'purchase:1',
    null,
    null,
    '1ef39bc581913f05ad66331c6789b4b1b0e897ea9e124ef4cfa55d952e56d3fc',
  ],
];

describe('an event id', () => {
  test.each(IDS)('of %s %s over %s is the one known digest', (source, type, parts, digest) => {
    const identity = JSON.parse(parts) as string[];
    expect(eventId(source, type, identity)).toBe(`${source}.${type}.${digest}`);
  });

  test('is safe in a URL, in a job id and in an ascii_bin key, whatever the partner wrote', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (parts) => {
        expect(eventId('epn', 'affiliate.waiting', parts)).toMatch(
          /^epn\.affiliate\.waiting\.[0-9a-f]{40}$/,
        );
      }),
    );
  });

  test('tells apart parts that only look alike when they are joined', () => {
    const parts = [['a', 'bc'], ['ab', 'c'], ['abc'], ['a', 'b', 'c'], ['a","bc'], ['a', 'bc', '']];
    const ids = parts.map((part) => eventId('epn', 'affiliate.waiting', part));
    expect(new Set(ids).size).toBe(parts.length);
  });
});

describe('a content hash', () => {
  test.each(CONTENTS)('of %s %s is the one known digest', (type, subject, money, ...rest) => {
    const [reference, digest] = rest;
    expect(contentHash({ type, subject, money, reference })).toBe(digest);
  });

  test('changes with each thing that it covers', () => {
    const money: Money = { asset: 'RUB', amount: '100' };
    const content = { type: 'payment.paid', subject: 's', money, reference: 'r' } as const;
    const others = [
      content,
      { ...content, type: 'payment.failed' as const },
      { ...content, subject: 't' },
      { ...content, money: { ...money, asset: 'USD' } },
      { ...content, money: { ...money, amount: '100.01' } },
      { ...content, money: null },
      { ...content, reference: 'R' },
      { ...content, reference: null },
    ];
    expect(new Set(others.map(contentHash)).size).toBe(others.length);
  });
});

test('a job id is the event id and the first 16 digits of the content hash', () => {
  const contenthash = '0cef300c8d6c6d2fb27d723872e6f52ea203f0bc3cb75977e12a1415a6cc0986';
  expect(jobId({ id: 'sbp.payment.paid.f4e2', contenthash })).toBe(
    'sbp.payment.paid.f4e2.0cef300c8d6c6d2f',
  );
});

test('the job id of an event in a signed message names the message as well', () => {
  const contenthash = '0cef300c8d6c6d2fb27d723872e6f52ea203f0bc3cb75977e12a1415a6cc0986';
  const ids = [{}, { messageId: 'msg_1' }, { messageId: 'msg_2' }].map((data) =>
    jobId({ id: 'epn.affiliate.waiting.f4e2', contenthash, data }),
  );
  expect(ids).toEqual([
    'epn.affiliate.waiting.f4e2.0cef300c8d6c6d2f',
    'epn.affiliate.waiting.f4e2.0cef300c8d6c6d2f.116b88f173007be5',
    'epn.affiliate.waiting.f4e2.0cef300c8d6c6d2f.efe8f84985cffb94',
  ]);
});
