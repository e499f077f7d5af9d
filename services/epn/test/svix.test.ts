import { describe, expect, test } from 'vitest';
import { receive } from '@kopeck/core/receive';
import type { Delivery } from '@kopeck/core/source';
import { deliveryOf } from '@kopeck/testing/delivery';
import { describeSource } from '@kopeck/testing/describe-source';
import { epnNetwork } from '../src/epn/config.ts';
import { keyBytes } from '../src/svix/config.ts';
import { svixSource } from '../src/svix/source.ts';
import { sign } from '../src/svix/verify.ts';
import { eventOf, got, ORDER } from './postbacks.ts';

const EXAMPLE = 'whsec_plJ3nmyCDGBKInavdOK15jsl';
const OURS = 'whsec_cGF5bWVudC1pbnRha2Utc3VpdGUtdGVzdC1rZXktMDE=';
const SENT_AT = 1_773_480_413;

const network = epnNetwork({ EPN_DEFAULT_CURRENCY: 'RUB' });
const source = svixSource(network, [OURS, EXAMPLE]);

interface Message {
  readonly body: Buffer | string;
  readonly id?: string;
  readonly timestamp?: number;
  readonly prefix?: 'svix' | 'webhook';
  /** Takes the place of what the key makes. */
  readonly signature?: string;
  readonly receivedAt?: Date;
}

function delivered(message: Message): Delivery {
  const { id = 'msg_1', timestamp = SENT_AT, prefix = 'svix' } = message;
  const body = Buffer.from(message.body);
  const own = sign(keyBytes(OURS), { id, timestamp: String(timestamp), body });
  return deliveryOf({
    path: '/svix/epn',
    headers: {
      [`${prefix}-id`]: id,
      [`${prefix}-timestamp`]: String(timestamp),
      [`${prefix}-signature`]: message.signature ?? `v1,${own.toString('base64')}`,
    },
    body,
    receivedAt: message.receivedAt ?? new Date(timestamp * 1_000),
  });
}

const BODY = JSON.stringify({ type: 'affiliate.postback', data: { query: `?${ORDER}` } });
const PROOF = sign(keyBytes(OURS), {
  id: 'msg_1',
  timestamp: String(SENT_AT),
  body: Buffer.from(BODY),
});
const { evidence: _evidence, ...ofPostback } = await eventOf(got(ORDER));
const at = new Date(SENT_AT * 1_000).toISOString();

describeSource(source, {
  genuine: delivered({ body: BODY }),
  // The very event that the postback itself would make.
  event: {
    ...ofPostback,
    data: { ...ofPostback.data, messageId: 'msg_1' },
    time: at,
    receivedat: at,
  },
  proof: PROOF,
  withProof: (proof) => delivered({ body: BODY, signature: `v1,${proof.toString('base64')}` }),
  authentic: (content) => delivered({ body: content }),
  secrets: [OURS, EXAMPLE],
});

describe('a signed message', () => {
  const PING = '{"event_type":"ping","data":{"success":true}}';
  const POSTBACK =
    '{"type":"affiliate.postback","timestamp":"2026-03-14T09:26:53.000Z","data":{"partner":"epn_bz","uniq_id":"EPN-7700142","order_status":"completed"}}';

  test.each(['svix', 'webhook'] as const)(
    'verifies against the known vectors as %s-*',
    (prefix) => {
      const vectors: Message[] = [
        {
          body: PING,
          id: 'msg_loFOjxBNrRLzqYUf',
          timestamp: 1_731_705_121,
          signature: 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
        },
        {
          body: POSTBACK,
          id: 'msg_2fPisTestEpn0001',
          timestamp: SENT_AT,
          signature: 'v1,iUEnEr+ntaMkMw2WqMH5uqMSOJcAcPXOEzdBYDISUPc=',
        },
      ];
      for (const vector of vectors) {
        expect(source.verify(delivered({ ...vector, prefix }))).toEqual({
          ok: true,
          value: { messageId: vector.id },
        });
      }
    },
  );

  const good = `v1,${PROOF.toString('base64')}`;
  const other = `v1,${Buffer.alloc(32).toString('base64')}`;
  const near = (seconds: number): Message => ({
    body: BODY,
    receivedAt: new Date((SENT_AT + seconds) * 1_000),
  });

  test.each<[string, Message, boolean]>([
    [
      'one of several signatures is ours',
      { body: BODY, signature: `${other} v1a,x ${good}` },
      true,
    ],
    [
      'only another version is there',
      { body: BODY, signature: good.replace('v1,', 'v1a,') },
      false,
    ],
    ['there is no signature', { body: BODY, signature: '' }, false],
    ['it is 300 s old', near(300), true],
    ['it is 301 s old', near(301), false],
    ['it is 301 s early', near(-301), false],
    ['the id holds a point', { body: BODY, id: 'msg.1' }, false],
    ['the id is empty', { body: BODY, id: '' }, false],
    ['the body differs by one byte', { body: BODY.replace('123', '124'), signature: good }, false],
    ['the id is that of another message', { body: BODY, id: 'msg_2', signature: good }, false],
  ])('where %s: %#', (_case, message, isGenuine) => {
    expect(source.verify(delivered(message)).ok).toBe(isGenuine);
  });

  test('is refused while no key is configured', () => {
    const bare = svixSource(network, []);
    expect(bare.verify(delivered({ body: BODY }))).toEqual({
      ok: false,
      rejection: 'unconfigured',
    });
  });

  test('makes the event of the postback from its fields too, whichever message brings it', async () => {
    const data = Object.fromEntries(new URLSearchParams(ORDER));
    for (const body of [JSON.stringify({ data }), JSON.stringify({ data: ORDER })]) {
      const outcome = await receive(
        source,
        delivered({ body, id: `msg_${body.length}` }),
        async () => 'accepted',
      );
      expect(outcome).toMatchObject({ kind: 'accepted', event: { id: ofPostback.id } });
    }
  });

  test('without any field of the network is a test of the connection', async () => {
    const outcome = await receive(source, delivered({ body: PING }), async () => 'accepted');
    expect(outcome).toEqual({ kind: 'ignored', reason: 'ping' });
  });

  test('that makes no sense is kept without a complaint, and with the id of the message', async () => {
    const outcome = await receive(source, delivered({ body: POSTBACK }), async () => 'accepted');
    expect(outcome).toMatchObject({ kind: 'quarantined', cause: { reason: 'missing_field' } });
    expect(outcome).not.toHaveProperty('cause.complaint');
    expect(JSON.stringify(outcome)).toContain('msg_1');
  });
});
