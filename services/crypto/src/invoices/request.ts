import Joi from 'joi';
import type { Grant } from '@kopeck/core/event';
import { mintedOrderId, type Plan, type Plans } from '@kopeck/core/grants';
import { ISSUED_ASSETS, parseMoney } from '@kopeck/core/money';
import { HttpError } from '@kopeck/runtime/http-app';

/** What both endpoints take. All values are texts: jsonBody keeps numbers as they were written. */
export interface OrderRequest {
  readonly orderId?: string;
  /** The Telegram id of whom the grants go to. */
  readonly user: string;
  readonly plan?: string;
  /** A credit of so many NDN. */
  readonly ndn?: string;
  readonly grants?: readonly Grant[];
  readonly description?: string;
  readonly expiresIn?: string;
}

export interface CryptoInvoiceRequest extends OrderRequest {
  readonly network: 'main' | 'test';
  readonly app?: string;
  readonly asset?: string;
  readonly fiat?: string;
  readonly amount?: string;
  readonly swapTo?: string;
  readonly hiddenMessage?: string;
}

export interface StarsInvoiceRequest extends OrderRequest {
  readonly stars?: string;
  readonly title?: string;
  readonly subscription: boolean;
}

/** 31 days: Crypto Pay takes no more. */
const MOST_SECONDS = 2_678_400;

const user = Joi.string().pattern(/^[1-9]\d{0,15}$/);
const asset = Joi.string().pattern(/^[A-Z0-9]{2,16}$/);
const amount = Joi.string().custom((text: string, helpers) => {
  return parseMoney('XXX', text)?.amount ?? helpers.error('any.invalid');
});
const plan = Joi.string().max(64);
/** Kopeck issues nothing but its own assets. */
const credit = Joi.object({
  kind: Joi.valid('credit').required(),
  user: user.required(),
  asset: Joi.valid(...ISSUED_ASSETS).required(),
  amount: amount.required(),
});
const subscription = Joi.object({
  kind: Joi.valid('subscription').required(),
  user: user.required(),
  plan: plan.required(),
  days: Joi.number().integer().min(1).max(36_500).required(),
});

const common = {
  orderId: Joi.string().custom((text: string, helpers) =>
    mintedOrderId(text) === null ? helpers.error('any.invalid') : text,
  ),
  user: user.required(),
  plan,
  ndn: amount,
  grants: Joi.array().items(credit, subscription).min(1).max(10),
  expiresIn: Joi.string()
    .pattern(/^[1-9]\d{1,6}$/)
    .custom((text: string, helpers) =>
      Number(text) > MOST_SECONDS ? helpers.error('any.invalid') : text,
    ),
};

const cryptoInvoice = Joi.object<CryptoInvoiceRequest>({
  ...common,
  network: Joi.valid('main', 'test').default('main'),
  app: Joi.string().pattern(/^\d{1,20}$/),
  asset: asset.invalid(...ISSUED_ASSETS),
  fiat: asset,
  amount,
  swapTo: asset,
  description: Joi.string().max(1024),
  hiddenMessage: Joi.string().max(2048),
})
  .oxor('asset', 'fiat')
  .or('plan', 'ndn', 'grants')
  .required();

const starsInvoice = Joi.object<StarsInvoiceRequest>({
  ...common,
  stars: Joi.string().pattern(/^[1-9]\d{0,6}$/),
  title: Joi.string().max(32),
  description: Joi.string().max(255),
  subscription: Joi.boolean().default(false),
})
  .or('plan', 'ndn', 'grants')
  .required();

/** Each throws the 400 that names the fields which make no sense, and quotes none of them. */
export function readCryptoInvoice(body: unknown): CryptoInvoiceRequest {
  return checked(cryptoInvoice, body);
}

export function readStarsInvoice(body: unknown): StarsInvoiceRequest {
  return checked(starsInvoice, body);
}

export function checked<T>(schema: Joi.ObjectSchema<T>, body: unknown): T {
  const { value, error } = schema.validate(body, { abortEarly: false });
  if (error === undefined) return value;
  const fields = error.details.map(({ path, context }) =>
    path.length > 0 ? path.join('.') : ((context as { peers?: string[] }).peers ?? []).join('|'),
  );
  throw invalid(...new Set(fields));
}

export function invalid(...fields: readonly string[]): HttpError {
  return new HttpError(400, { error: 'invalid', fields });
}

/** What paying the order gives, and to whom. Throws a 400 for a plan that is not in the list. */
export function grantsOf(request: OrderRequest, plans: Plans): readonly Grant[] {
  const { user: id, plan: name, ndn, grants = [] } = request;
  const days = name === undefined ? null : planNamed(name, plans).days;
  return [
    ...grants,
    ...(ndn === undefined
      ? []
      : [{ kind: 'credit', user: id, asset: 'NDN', amount: ndn } as const]),
    ...(name === undefined || days === null
      ? []
      : [{ kind: 'subscription', user: id, plan: name, days } as const]),
  ];
}

export function planNamed(name: string, plans: Plans): Plan {
  const found = plans.get(name);
  if (found === undefined) throw invalid('plan');
  return found;
}
