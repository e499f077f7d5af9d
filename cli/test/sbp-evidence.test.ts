import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { waitFor } from '@kopeck/testing/wait-for';
import {
  createSbpDatabase,
  DOUBLES,
  getStatus,
  payAt,
  post,
  postPayment,
  startTestSbp,
  type RunningSbp,
  type SbpDatabase,
} from '../../services/sbp/test/running-sbp.ts';
import { checkEvidence } from '../src/evidence/check-evidence.ts';

// The events of every SBP provider, made by the service of what the provider's double has answered.

const HOUR_MS = 3_600_000;

let database: SbpDatabase;
let sbp: RunningSbp;
beforeAll(async () => {
  database = await createSbpDatabase();
  sbp = await startTestSbp(database);
});
afterAll(async () => {
  await sbp.close();
  await database.drop();
});

async function order(provider: string, name: string): Promise<string> {
  const wanted = { amount: 100, orderId: `${provider}-${name}`, provider };
  return String((await postPayment(sbp, wanted)).body['qrcId']);
}

async function until(provider: string, name: string, status: string): Promise<void> {
  const orderId = `${provider}-${name}`;
  await waitFor(
    async () => {
      await Promise.all([sbp.looker.lookAtDue(), sbp.refunder.lookAtDue()]);
      return (await getStatus(sbp, orderId)).body['status'] === status;
    },
    { what: `${orderId} to be ${status}` },
  );
}

/** By type; what no provider has said is left out. */
function told(provider: string): ReadonlyMap<string, KopeckEvent> {
  const events = sbp.events.filter(
    ({ data, evidence }) => 'provider' in data && data.provider === provider && evidence !== '',
  );
  return new Map(events.map((event) => [event.type, event]));
}

test.each(Object.entries(DOUBLES))(
  'what %s has answered comes to what was booked of it, and to nothing else',
  async (provider, double) => {
    const bank = { sandboxUrl: sbp.sandboxUrl, double };
    await payAt(bank, await order(provider, 'paid'));
    await until(provider, 'paid', 'paid');
    await post(sbp, `/api/payment/${provider}-paid/refund`, { refundId: 'r1', amount: 30.5 });
    const declined = await order(provider, 'declined');
    for (let tries = 0; tries < 3; tries += 1) await payAt(bank, declined, { decline: true });
    sbp.advance(5_000);
    await until(provider, 'declined', 'failed');
    await order(provider, 'expired');
    sbp.advance(HOUR_MS + 61_000);
    await until(provider, 'expired', 'expired');

    const events = told(provider);
    const verdicts = new Map<string, string>();
    for (const [type, event] of events) verdicts.set(type, await checkEvidence(event, []));
    expect(Object.fromEntries(verdicts)).toEqual({
      'payment.paid': 'same',
      'payment.failed': 'same',
      'payment.expired': 'same',
      // A refund's answer is read with what was asked. This upstream cannot refund.
      ...(provider !== 'bridge' && { 'payment.refunded': 'untold' }),
    });

    const paid = events.get('payment.paid');
    const data = { ...paid?.data, paid: { asset: 'RUB', amount: '100.01' } };
    // Tochka tells no sum: its codes take no other than they were made for.
    const verdict = await checkEvidence({ ...paid, data } as KopeckEvent, []);
    expect(verdict).toBe(provider === 'tochka' ? 'same' : 'other');
    for (const type of ['payment.failed', 'payment.expired']) {
      const event = events.get(type);
      const evidence = event?.evidence ?? '';
      expect(await checkEvidence({ ...paid, evidence } as KopeckEvent, [])).toBe('other');
    }
  },
);
