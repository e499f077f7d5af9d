import { setTimeout as delay } from 'node:timers/promises';
import { isRecord } from '@kopeck/core/json';
import type { HttpAnswer } from '../http.ts';
import { ask, type Show } from './exchange.ts';
import { SimulationError, type Target } from './running.ts';

interface Posting {
  readonly account: string;
  readonly asset: string;
  readonly amount: string;
}

const BOOKED_WITHIN_MS = 15_000;
const COMPLETED_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 100;

/** Waits until the ledger has decided on the event, and shows its postings and what they came to. */
export async function showBooked(show: Show, target: Target, eventId: string): Promise<void> {
  const event = await bookedEvent(target, eventId);
  const reason = typeof event['reason'] === 'string' ? `: ${event['reason']}` : '';
  show(`The ledger has ${eventId}`);
  show(`outcome: ${String(event['outcome'])}${reason}`);

  const postings = postingsOf(event);
  if (postings.length === 0) return show('Nothing was posted.');
  show('\nPostings');
  const width = Math.max(...postings.map(({ account }) => account.length));
  const line = (account: string, amount: string, asset: string): void =>
    show(`  ${account.padEnd(width)}  ${amount.padStart(14)} ${asset}`);
  for (const { account, amount, asset } of postings) line(account, signed(amount), asset);

  show('\nBalances now');
  for (const account of new Set(postings.map((posting) => posting.account))) {
    const touched = postings.filter((posting) => posting.account === account);
    const { body } = await get(target, `/api/ledger/balances/${encodeURIComponent(account)}`);
    for (const { amount, asset } of balancesOf(body)) {
      if (touched.some((posting) => posting.asset === asset)) line(account, amount, asset);
    }
  }
}

async function bookedEvent(target: Target, eventId: string): Promise<Record<string, unknown>> {
  const deadline = performance.now() + BOOKED_WITHIN_MS;
  const completed = performance.now() + COMPLETED_WITHIN_MS;
  while (performance.now() < deadline) {
    const { status, body } = await get(target, `/api/ledger/events/${encodeURIComponent(eventId)}`);
    const isThere = status === 200 && isRecord(body);
    if (isThere && !(mayBeCompleted(body) && performance.now() < completed)) return body;
    await delay(LOOK_EVERY_MS);
  }
  throw new SimulationError(
    `${eventId} is not booked after ${BOOKED_WITHIN_MS / 1000} s. It is kept in the receiver's journal, ` +
      'and is booked when Redis, the ledger and MariaDB are all there again.',
  );
}

/** An earlier delivery told no amount: ours may be about to complete it. */
function mayBeCompleted(event: Record<string, unknown>): boolean {
  return event['reason'] === 'amount-unknown';
}

function get(target: Target, path: string): Promise<HttpAnswer> {
  const headers = { Authorization: `Bearer ${target.value('LEDGER_API_TOKEN')}` };
  return ask({ method: 'GET', url: `${target.value('LEDGER_URL')}${path}`, headers });
}

function postingsOf(event: Record<string, unknown>): readonly Posting[] {
  const { entry } = event;
  return isRecord(entry) && Array.isArray(entry['postings'])
    ? (entry['postings'] as Posting[])
    : [];
}

function balancesOf(body: unknown): readonly Omit<Posting, 'account'>[] {
  const list = isRecord(body) ? body['balances'] : [];
  return Array.isArray(list) ? (list as Posting[]) : [];
}

function signed(amount: string): string {
  return amount.startsWith('-') ? amount : `+${amount}`;
}
