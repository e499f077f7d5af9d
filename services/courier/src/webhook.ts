import { Webhook } from 'standardwebhooks';
import { textAt } from '@kopeck/core/json';
import type { Delivery, Tried } from './deliveries.ts';
import { ForbiddenAddress, guardedPost, type Posted } from './guarded-post.ts';
import { readRetryAfter } from './schedule.ts';

export interface WebhookOptions {
  readonly url: string;
  /** `whsec_…`: the first is current; while secrets are rotated each signs, and either is enough. */
  readonly secrets: readonly string[];
  readonly now: () => Date;
}

/** One call to the operator's bot, signed as Standard Webhooks has it. */
export function createWebhook({ url, secrets, now }: WebhookOptions) {
  const signers = secrets.map((secret) => new Webhook(secret));

  return async (delivery: Delivery): Promise<Tried> => {
    const body = bodyOf(delivery);
    const id = textAt(delivery.payload, 'id') ?? `outbox_${delivery.id}`;
    const at = now();
    const headers = {
      'Content-Type': 'application/json',
      'User-Agent': 'Kopeck',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': signers.map((signer) => signer.sign(id, at, body)).join(' '),
    };
    try {
      return judge(await guardedPost({ url, headers, body }), now());
    } catch (error) {
      return { kind: 'again', error: wordFor(error), retryAfterMs: null };
    }
  };
}

/** The same bytes at every attempt: only the moment of the attempt, in its header, differs. */
function bodyOf({ text, createdAt }: Delivery): string {
  return JSON.stringify({
    ...(JSON.parse(text) as object),
    timestamp: createdAt.toISOString(),
  });
}

function judge({ status, retryAfter }: Posted, now: Date): Tried {
  if (status >= 200 && status <= 299) return { kind: 'delivered' };
  const error = status >= 300 && status <= 399 ? 'redirect-refused' : `HTTP ${status}`;
  return { kind: 'again', error, retryAfterMs: readRetryAfter(retryAfter, now) };
}

/** A message may name hosts and more; the code does not. */
function wordFor(error: unknown): string {
  if (error instanceof ForbiddenAddress) return 'forbidden-address';
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time';
  return error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
}
