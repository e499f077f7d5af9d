import type { RequestHandler, Router } from 'express';
import type { Outcome } from '@kopeck/core/receive';
import { createRouter, methods } from '@kopeck/runtime/http-app';
import { answerFor, intake, type Answer } from '@kopeck/runtime/intake';
import type { ReceiverDeps } from '@kopeck/runtime/receiver';
import { addBalanceRoutes } from './balance/api.ts';
import type { Tickets } from './balance/tickets.ts';
import { checkoutAnswer, judgeCheckout } from './checkout.ts';
import type { CryptoConfig } from './config.ts';
import { cryptobotSource } from './cryptobot/source.ts';
import type { Spool } from './forward/spool.ts';
import { cryptoInvoice, ownPrograms, starsInvoice } from './invoices/api.ts';
import type { FindOpenOrder } from './open-orders.ts';
import { closeIfPaid, type OrderBook } from './order-book.ts';
import type { Reconciled } from './reconcile/reconcile.ts';
import { hear, type Heard } from './reconcile/heard.ts';
import { starsRefund } from './stars-refund.ts';
import type { CheckoutQuestion } from './telegram/parse.ts';
import { telegramSource } from './telegram/source.ts';

export type CryptoDeps = Pick<ReceiverDeps, 'append' | 'journal' | 'log' | 'metrics' | 'now'> &
  Partial<Pick<ReceiverDeps, 'forged'>> & {
    readonly config: CryptoConfig;
    readonly findOpenOrder: FindOpenOrder;
    readonly book: OrderBook;
    readonly heard: Heard;
    readonly reconcileNow: () => Promise<readonly Reconciled[]>;
    readonly tickets: Tickets;
    /** What goes on to the bot of the operator's behind us. Null: there is none. */
    readonly spool: Pick<Spool, 'keep'> | null;
  };

const MEDIA_TYPES = ['application/json'];
/** Telegram caps an update at 64 KiB, but as its own server counts it. */
const TELEGRAM_LIMIT_BYTES = 256 * 1024;

export function cryptoRoutes(deps: CryptoDeps): Router {
  const { config, now } = deps;
  const common = { ...deps, mediaTypes: MEDIA_TYPES };
  const cryptobot = intake(cryptobotSource(config), { ...common, answer: cryptobotAnswer });
  const telegram = intake(telegramSource(config), {
    ...common,
    limitBytes: TELEGRAM_LIMIT_BYTES,
    answer: async (outcome, delivery) => {
      // Payments, and the questions before them, are ours alone.
      if (outcome.kind === 'ignored') await handOn(delivery.body, deps);
      return telegramAnswer(outcome, deps);
    },
  });

  const router = createRouter();
  router.all('/webhook/cryptobot', methods({ POST: cryptobot }));
  router.all('/webhook/telegram', methods({ POST: telegram }));
  router.all('/api/crypto/invoice', methods({ POST: cryptoInvoice(deps) }));
  router.all('/api/stars/invoice', methods({ POST: starsInvoice(deps) }));
  router.all('/api/stars/refund', methods({ POST: starsRefund(deps) }));
  addBalanceRoutes(router, deps);
  router.all('/api/crypto/reconcile', methods({ POST: reconcileNow(deps) }));
  router.all('/health', methods({ GET: [health(now)] }));
  return router;
}

/** Crypto Pay is told of what was taken in its own words, too: `{"ok":true}`. */
function cryptobotAnswer(outcome: Outcome): Answer {
  const answer = answerFor(outcome);
  if (answer.status !== 200) return answer;
  const again = outcome.kind === 'duplicate' ? { duplicate: true } : {};
  return { ...answer, body: { ok: true, ...again, ...(answer.body as object) } };
}

/**
 * Refused only when payments are refused too, for the next update of a chat waits for this one: a
 * payment must not wait behind a chat that has no room.
 */
async function handOn(
  body: Buffer,
  { spool, journal, log, metrics }: Pick<CryptoDeps, 'spool' | 'journal' | 'log' | 'metrics'>,
): Promise<void> {
  try {
    await spool?.keep(body);
  } catch (error) {
    if (!(await journal.writable())) throw error;
    metrics.count('kopeck_forwarded_total', { result: 'no-room' });
    log.error('an update for the bot was not kept', { error });
  }
}

async function telegramAnswer(
  outcome: Outcome<CheckoutQuestion>,
  { config, journal, findOpenOrder, log, metrics, book, heard }: CryptoDeps,
): Promise<Answer> {
  if (outcome.kind === 'accepted') {
    closeIfPaid(outcome.event, book, log);
    hear(outcome.event, heard, log);
  }
  if (outcome.kind !== 'question') return answerFor(outcome);

  const { question } = outcome;
  const ndnPerStar = config.NDN_PER_STAR;
  const refusal = await judgeCheckout(question, {
    writable: journal.writable,
    findOpenOrder,
    ndnPerStar,
  });
  metrics.count('kopeck_checkouts_total', { answer: refusal ?? 'ok' });
  if (refusal !== null) log.warn('checkout refused', { query: question.queryId, reason: refusal });
  return { status: 200, body: checkoutAnswer(question, refusal) };
}

/** POST /api/crypto/reconcile: what the partners' lists say is taken in now. */
function reconcileNow({ config, reconcileNow: run }: CryptoDeps): RequestHandler[] {
  return [
    ownPrograms(config),
    async (_request, response) => {
      response.set('Cache-Control', 'no-store').json({ reconciled: await run() });
    },
  ];
}

function health(now: () => Date): RequestHandler {
  return (_request, response) => {
    response.json({ status: 'healthy', timestamp: Math.floor(now().getTime() / 1000) });
  };
}
