import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Append } from '@kopeck/core/receive';
import type { Log } from '@kopeck/runtime/log';
import type { Attempts } from './attempts.ts';
import { orderCreated } from './events.ts';
import { deadAt, stageOf, type Order } from './order.ts';
import { nextLookAt } from './poll-plan.ts';
import { ProviderError, type Qr, type QrRequest, type SbpProvider } from './provider.ts';
import type { Providers } from './providers.ts';
import { waitingOut } from './sql.ts';

export interface CreateDeps {
  readonly attempts: Attempts;
  /** Asked only when a new code has to be made; throws what the shop is answered when nobody can make it. */
  readonly maker: () => Maker;
  readonly providers: Providers;
  readonly append: Append;
  readonly log: Log;
  readonly now: () => Date;
}

export interface Maker {
  readonly provider: SbpProvider;
  /** How long its code can be paid. */
  readonly ttlMs: number;
}

export type Wanted = Pick<Order, 'orderId' | 'kopecks' | 'description' | 'returnUrl' | 'grants'>;

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
      return await recover(order, deps);
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
  const making = { ...deps, ...deps.maker() };
  const order = await claim(before, wanted, making);
  return order === null ? null : await make(order, making);
}

/** By then a provider that was left alone for its failures is asked again. */
const ASK_AGAIN_MS = 10_000;

/** A provider that can be asked is asked by the next request; with another only time tells. */
function lost({ provider, expiresAt }: Order, { providers, now }: CreateDeps): Created {
  const canAsk = providers[provider]?.recoverQr !== undefined;
  const next = canAsk ? 'the next request asks for its code' : 'its code may be live until then';
  const retryAt = canAsk ? new Date(now().getTime() + ASK_AGAIN_MS) : deadAt({ expiresAt });
  return { kind: 'failed', why: `the answer of ${provider} was lost, and ${next}`, retryAt };
}

/** The order with an attempt of ours, or null when another was faster. */
async function claim(
  before: Order | null,
  wanted: Wanted,
  { attempts, provider, now }: CreateDeps & Maker,
): Promise<Order | null> {
  const attemptId = randomUUID().replaceAll('-', '');
  const claimed = { provider: provider.code, attemptId, leaseUntil: leaseOf(now()) };
  const payToken = randomBytes(16).toString('base64url');
  const isOurs =
    before === null
      ? await attempts.insert({ ...wanted, ...claimed, payToken, createdAt: now() })
      : await attempts.retake(before, claimed);
  return isOurs ? await attempts.find(wanted.orderId) : null;
}

function leaseOf(now: Date): Date {
  return new Date(now.getTime() + LEASE_MS);
}

/** Asks what came of the request whose answer was lost, where the provider can say that. */
async function recover(order: Order, deps: CreateDeps): Promise<Created | null> {
  const { attempts, providers, now } = deps;
  const recoverQr = providers[order.provider]?.recoverQr;
  if (recoverQr === undefined) return lost(order, deps);
  if (!(await attempts.recover(order, leaseOf(now())))) return null;
  return await save(order, recoverQr, deps);
}

/** Null: the lease was lost on the way, and somebody else is at it. */
async function make(order: Order, deps: CreateDeps & Maker): Promise<Created | null> {
  const { attempts, provider, now, ttlMs } = deps;
  await announce(order, deps);

  const expiresAt = new Date(now().getTime() + ttlMs);
  if (!(await attempts.startAsking(order.attemptId, expiresAt))) return null;
  return await save({ ...order, expiresAt }, provider.createQr, deps);
}

type Ask = (request: QrRequest) => Promise<Qr | null>;

/** Null: there is no code, and a new attempt may be made. */
async function save(order: Order, ask: Ask, deps: CreateDeps): Promise<Created | null> {
  const { attempts, now } = deps;
  const { attemptId, kopecks, description, returnUrl } = order;
  const expiresAt = order.expiresAt ?? now();
  try {
    const qr = await ask({ attemptId, kopecks, expiresAt, description, returnUrl });
    if (qr === null) await attempts.giveUp(attemptId, 'refused', now());
    else await saveQr(attemptId, qr, expiresAt, deps);
  } catch (error) {
    return await failed(order, error, deps);
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

/** With all that is waited for besides, this must fit into the lease. */
const SAVE_WITHIN_MS = 10_000;

/** A code that cannot be written down is as good as lost. */
async function saveQr(
  attemptId: string,
  qr: Qr,
  expiresAt: Date,
  { attempts, now }: CreateDeps,
): Promise<void> {
  const look = nextLookAt({ createdAt: now(), expiresAt }, now()) ?? now();
  await waitingOut(() => attempts.saveQr(attemptId, qr, look), SAVE_WITHIN_MS);
}

/**
 * A request that was refused has made nothing. A question about a lost answer that was refused has told
 * nothing: the code may be out there all the same.
 */
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
  const isLost = failure === 'unknown' || order.creation === 'asked';
  await attempts.giveUp(order.attemptId, isLost ? 'asked' : 'refused', now());
  return isLost ? lost(order, deps) : { kind: 'failed', why: message, retryAt: null };
}
