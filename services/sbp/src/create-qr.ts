import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Append } from '@kopeck/core/receive';
import type { Log } from '@kopeck/runtime/log';
import type { Attempts } from './attempts.ts';
import { orderCreated } from './events.ts';
import { deadAt, stageOf, type Order } from './order.ts';
import { nextLookAt } from './poll-plan.ts';
import { ProviderError, type Qr, type SbpProvider } from './provider.ts';
import { isAway } from './sql.ts';

export interface CreateDeps {
  readonly attempts: Attempts;
  readonly provider: SbpProvider;
  readonly append: Append;
  readonly log: Log;
  readonly now: () => Date;
  /** How long a code can be paid. */
  readonly ttlMs: number;
}

export interface Wanted {
  readonly orderId: string;
  readonly kopecks: bigint;
}

export type Created =
  | { readonly kind: 'made'; readonly order: Order }
  /** The order is there, with another amount. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'failed'; readonly why: string; readonly retryAt: Date | null };

/** Longer than the provider is waited for, and everything around it. */
const LEASE_MS = 60_000;

/** Somebody else is making the code of this order: look again after each of these pauses. */
const PATIENCE_MS = [20, 50, 100, ...Array.from({ length: 100 }, () => 200)];

/**
 * One order, one live code, however often and at however many copies it is asked for: whoever holds the
 * lease on the order's row makes it, the others wait for that. No lock is held meanwhile.
 */
export async function createQr(wanted: Wanted, deps: CreateDeps): Promise<Created> {
  for (const pauseMs of PATIENCE_MS) {
    const order = await deps.attempts.find(wanted.orderId);
    const created =
      order === null ? await attempt(null, wanted, deps) : await goOn(order, wanted, deps);
    if (created !== null) return created;
    await delay(pauseMs);
  }
  return { kind: 'failed', why: 'the order is still being made', retryAt: null };
}

/** Null: somebody else is at it. */
async function goOn(order: Order, wanted: Wanted, deps: CreateDeps): Promise<Created | null> {
  if (order.kopecks !== wanted.kopecks) return { kind: 'conflict' };
  switch (stageOf(order, deps.now())) {
    case 'made':
      return { kind: 'made', order };
    case 'lost':
      return lost(order);
    case 'free':
      return await attempt(order, wanted, deps);
    case 'busy':
      return null;
  }
}

async function attempt(
  before: Order | null,
  wanted: Wanted,
  deps: CreateDeps,
): Promise<Created | null> {
  const order = await claim(before, wanted, deps);
  return order === null ? null : await make(order, deps);
}

function lost(order: Order): Created {
  const why = `the answer of ${order.provider} was lost, and its code may be live until then`;
  return { kind: 'failed', why, retryAt: deadAt(order) };
}

/** The order with an attempt of ours, or null when another was faster. */
async function claim(
  before: Order | null,
  wanted: Wanted,
  { attempts, provider, now }: CreateDeps,
): Promise<Order | null> {
  const attemptId = randomUUID().replaceAll('-', '');
  const leaseUntil = new Date(now().getTime() + LEASE_MS);
  const order = { ...wanted, provider: provider.code, attemptId, leaseUntil, createdAt: now() };
  const isOurs =
    before === null
      ? await attempts.insert(order)
      : await attempts.retake(before, attemptId, leaseUntil);
  return isOurs ? await attempts.find(wanted.orderId) : null;
}

/** Null: the lease was lost on the way, and somebody else is at it. */
async function make(order: Order, deps: CreateDeps): Promise<Created | null> {
  const { attempts, provider, now, ttlMs } = deps;
  const { attemptId, kopecks } = order;
  await announce(order, deps);

  const expiresAt = new Date(now().getTime() + ttlMs);
  if (!(await attempts.startAsking(attemptId, expiresAt))) return null;
  try {
    const qr = await provider.createQr({ attemptId, kopecks, expiresAt });
    await saveQr(attemptId, qr, expiresAt, deps);
  } catch (error) {
    return await failed({ ...order, expiresAt }, error, deps);
  }
  const made = await attempts.find(order.orderId);
  return made?.creation === 'made' ? { kind: 'made', order: made } : null;
}

/** The ledger hears of an order before anybody can pay it. */
async function announce(order: Order, { attempts, append, now }: CreateDeps): Promise<void> {
  try {
    await append(orderCreated(order, now()));
  } catch (error) {
    await attempts.giveUp(order.attemptId, 'refused', now());
    throw error;
  }
}

const SAVE_TRIES = 20;
const SAVE_PAUSE_MS = 250;

/** A code that cannot be written down is as good as lost, so a short absence of the database is waited out. */
async function saveQr(
  attemptId: string,
  qr: Qr,
  expiresAt: Date,
  { attempts, now }: CreateDeps,
): Promise<void> {
  const look = nextLookAt({ createdAt: now(), expiresAt }, now()) ?? now();
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempts.saveQr(attemptId, qr, look);
    } catch (error) {
      if (tries >= SAVE_TRIES || !isAway(error)) throw error;
      await delay(SAVE_PAUSE_MS);
    }
  }
}

async function failed(order: Order, error: unknown, deps: CreateDeps): Promise<Created> {
  const { attempts, log, now } = deps;
  if (!(error instanceof ProviderError)) throw error;

  const { failure, message } = error;
  log.warn('no code was made', {
    attempt: order.attemptId,
    provider: order.provider,
    failure,
    message,
  });
  if (failure === 'unknown') {
    await attempts.giveUp(order.attemptId, 'asked', now());
    return lost(order);
  }
  await attempts.giveUp(order.attemptId, 'refused', now());
  return { kind: 'failed', why: message, retryAt: null };
}
