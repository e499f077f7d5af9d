import express, { Router, type RequestHandler } from 'express';
import Joi from 'joi';
import { checked } from '../checked.ts';
import type { Double, OpenDouble } from '../double.ts';
import { emptyAccount } from './account.ts';
import { knobChange, type Knobs } from './knobs.ts';
import { METHODS, refusal, type Refusal, type Telegram } from './methods.ts';
import { MEDIA, pay, payMedia, PURCHASE, purchaseOf } from './purchase.ts';
import { createUpdates, type Content } from './updates.ts';
import { WEBHOOK_METHODS } from './webhook.ts';

const ALL_METHODS = { ...METHODS, ...WEBHOOK_METHODS };

export interface BotApiOptions {
  /** `<bot id>:<secret>`, as @BotFather gives it. */
  readonly token: string;
  /** The secret_token that the bot gave to setWebhook. */
  readonly secret: string;
  readonly webhookUrl: string | null;
}

/** The Bot API for one bot, as far as Stars need it: the API base is `<origin>/telegram`. */
export function openBotApi({ token, ...options }: BotApiOptions): OpenDouble {
  return ({ now }): Double => {
    const initial: Knobs = {
      ...options,
      allowedUpdates: [],
      webhooks: 'deliver',
      answers: 'give',
      blocked: [],
      strangers: [],
      floods: 0,
      retryAfter: 7,
    };
    const knobs = { current: initial };
    const id = Number.parseInt(token, 10);
    const telegram: Telegram = {
      bot: { id, is_bot: true, first_name: 'Sandbox', username: 'kopeck_sandbox_bot' },
      account: emptyAccount(),
      knobs,
      updates: createUpdates(knobs, now),
      questions: new Map(),
      now,
    };
    return {
      name: 'bot',
      prefix: '/telegram',
      router: apiRouter(token, telegram),
      controls: controlsOf(telegram),
      reset() {
        knobs.current = initial;
        for (const list of Object.values(telegram.account)) (list as unknown[]).length = 0;
        telegram.updates.reset();
      },
      close: async () => undefined,
    };
  };
}

/** `<base>/bot<token>/<method>`, by GET or POST, with its parameters in the query or the body. */
function apiRouter(token: string, telegram: Telegram): Router {
  const router = Router();
  router.use(express.json(), express.urlencoded());
  router.all('/:bot/:method', ((request, response) => {
    const { bot, method } = request.params;
    const call = Object.hasOwn(ALL_METHODS, method) ? ALL_METHODS[method] : undefined;
    const parameters = { ...request.query, ...(request.body as object | undefined) };
    const answer =
      bot === `bot${token}`
        ? (call?.(telegram, parameters) ?? refusal(404, 'Not Found'))
        : refusal(401, 'Unauthorized');
    if (telegram.knobs.current.answers === 'lose') return void request.socket.destroy();
    if (!isRefusal(answer)) return void response.json({ ok: true, result: answer });

    const retryAfter = answer.parameters?.retry_after;
    if (retryAfter !== undefined) response.set('Retry-After', String(retryAfter));
    response.status(answer.error_code).json({ ok: false, ...answer });
  }) satisfies RequestHandler<{ bot: string; method: string }>);
  return router;
}

function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === 'object' && answer !== null && 'error_code' in answer;
}

const CONTENT = Joi.object<Content>().unknown().required();

/** For tests and people: pay as a user would, or send any update with the right secret. */
function controlsOf(telegram: Telegram): Router {
  const { account, knobs, updates } = telegram;
  const router = Router();
  router.post(
    '/pay',
    checked(PURCHASE, (request) => {
      const purchase = purchaseOf(telegram, request);
      return purchase === null ? null : pay(telegram, purchase);
    }),
  );
  router.post(
    '/media',
    checked(MEDIA, (purchase) => payMedia(telegram, purchase)),
  );
  router.post(
    '/update',
    checked(CONTENT, (content) => updates.deliver(content)),
  );
  router.get('/updates', (_request, response) => void response.json(updates.all()));
  router.get('/messages', (_request, response) => void response.json(account.messages));
  router.get('/sendings', (_request, response) => void response.json(account.sendings));
  router.get('/invoices', (_request, response) => void response.json(account.invoices));
  router.get('/knobs', (_request, response) => void response.json(knobs.current));
  router.patch(
    '/knobs',
    checked(knobChange, (change) => (knobs.current = { ...knobs.current, ...change })),
  );
  return router;
}
