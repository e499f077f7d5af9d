import Joi from 'joi';

/** How Telegram behaves. All start as it does on a good day. */
export interface Knobs {
  /** Where updates go; null: the bot has set no webhook. */
  readonly webhookUrl: string | null;
  /** The secret_token of setWebhook. */
  readonly secret: string;
  /** What the bot is told of; empty: everything. */
  readonly allowedUpdates: readonly string[];
  /** 'drop': updates are lost, as after 24 hours of failed deliveries. */
  readonly webhooks: 'deliver' | 'drop';
  /** 'lose': calls are carried out, and the connection breaks before the answer. */
  readonly answers: 'give' | 'lose';
  /** Users who have blocked the bot: 403. */
  readonly blocked: readonly number[];
  /** Users whom the bot has never met: 400. */
  readonly strangers: readonly number[];
  /** How many calls of sendMessage are answered 429, and for how many seconds to wait. */
  readonly floods: number;
  readonly retryAfter: number;
}

export const knobChange = Joi.object<Partial<Knobs>>({
  webhookUrl: Joi.string().uri().allow(null),
  secret: Joi.string().pattern(/^[A-Za-z0-9_-]{1,256}$/),
  allowedUpdates: Joi.array().items(Joi.string()),
  webhooks: Joi.valid('deliver', 'drop'),
  answers: Joi.valid('give', 'lose'),
  blocked: Joi.array().items(Joi.number().integer()),
  strangers: Joi.array().items(Joi.number().integer()),
  floods: Joi.number().integer().min(0),
  retryAfter: Joi.number().integer().min(1),
});
