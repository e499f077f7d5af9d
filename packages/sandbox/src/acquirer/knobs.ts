import Joi from 'joi';

/** 'mock-hex': an id of hex digits, as Raiffeisen's own sandbox makes them. */
export type LinkStyle = 'full' | 'short' | 'bad-crc' | 'mock-hex';

export type RefundOutcome = 'succeed' | 'hold' | 'decline';

/** Where in a call the bank fails, and how it looks from outside. */
export type FaultOn = 'create' | 'read' | 'cancel' | 'refund';
export type FaultKind =
  /** The bank does what it was asked, and the connection breaks before its answer. */
  | 'lose-answer'
  /** The bank does what it was asked, and never answers. */
  | 'hang'
  | 'http-400'
  | 'http-500'
  | 'http-503'
  | 'http-429'
  /** HTTP 200 with a code that says error. */
  | 'error-200'
  /** HTTP 200 with something that is not JSON. */
  | 'not-json'
  /** The bank does what it was asked, and its answer begins and never comes to its end. */
  | 'slow-body';

export interface Fault {
  readonly on: FaultOn;
  readonly kind: FaultKind;
  /** How many calls fail. */
  readonly times: number;
}

/** How the bank misbehaves. All start as a well-behaved bank has them. */
export interface Knobs {
  /** Where notifications go; null: the merchant has set no address. */
  readonly callbackUrl: string | null;
  readonly callbacks: 'deliver' | 'drop';
  /** How often each notification is sent, at the same time. */
  readonly copies: number;
  readonly signature: 'good' | 'wrong';
  /** 0: `100`, 1: `100.0`, 2: `100.00`. */
  readonly amountDecimals: number;
  /** What is said to have been paid, in roubles, whatever was; null: the truth. */
  readonly claimedAmount: string | null;
  /** Names of a notification's fields, and whether there are some that nobody knows. */
  readonly casing: 'as-is' | 'pascal' | 'camel';
  readonly unknownFields: boolean;
  /**
   * Pauses before a notification is repeated that was not acknowledged; then the bank gives up. 'quick':
   * `retryDelaysMs`, by the machine's clock; 'bank': the bank's own hours and days, by the sandbox's.
   */
  readonly retries: 'quick' | 'bank';
  readonly retryDelaysMs: readonly number[];
  /** A notification's first try comes so much later, by the sandbox's clock. */
  readonly delayMs: number;
  /** While true, payments that were made are not shown yet. */
  readonly holdStatus: boolean;
  /** A payment shows so much later, by the sandbox's clock. */
  readonly showAfterMs: number;
  /** What a payment that does not show yet looks like: none at all, or one that is under way, in the bank's word. */
  readonly shownAs: 'unpaid' | 'under-way';
  readonly linkStyle: LinkStyle;
  /** What becomes of refunds that were asked for, also of those that wait. */
  readonly refunds: RefundOutcome;
  readonly faults: readonly Fault[];
}

export const DEFAULT_KNOBS: Knobs = {
  callbackUrl: null,
  callbacks: 'deliver',
  copies: 1,
  signature: 'good',
  amountDecimals: 0,
  claimedAmount: null,
  casing: 'as-is',
  unknownFields: false,
  retries: 'quick',
  retryDelaysMs: [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000],
  delayMs: 0,
  holdStatus: false,
  showAfterMs: 0,
  shownAs: 'unpaid',
  linkStyle: 'full',
  refunds: 'succeed',
  faults: [],
};

const FAULT = Joi.object<Fault>({
  on: Joi.valid('create', 'read', 'cancel', 'refund').required(),
  kind: Joi.valid(
    'lose-answer',
    'hang',
    'http-400',
    'http-500',
    'http-503',
    'http-429',
    'error-200',
    'not-json',
    'slow-body',
  ).required(),
  times: Joi.number().integer().min(1).default(1),
});

/** A change of some knobs: what is left out stays as it is. */
export const knobChange = Joi.object<Partial<Knobs>>({
  callbackUrl: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .allow(null),
  callbacks: Joi.valid('deliver', 'drop'),
  copies: Joi.number().integer().min(1).max(20),
  signature: Joi.valid('good', 'wrong'),
  amountDecimals: Joi.number().integer().min(0).max(2),
  claimedAmount: Joi.string()
    .pattern(/^\d+(\.\d+)?$/)
    .allow(null),
  casing: Joi.valid('as-is', 'pascal', 'camel'),
  unknownFields: Joi.boolean(),
  retries: Joi.valid('quick', 'bank'),
  delayMs: Joi.number().integer().min(0),
  showAfterMs: Joi.number().integer().min(0),
  shownAs: Joi.valid('unpaid', 'under-way'),
  retryDelaysMs: Joi.array().items(Joi.number().integer().min(0)).max(100),
  holdStatus: Joi.boolean(),
  refunds: Joi.valid('succeed', 'hold', 'decline'),
  linkStyle: Joi.valid('full', 'short', 'bad-crc', 'mock-hex'),
  faults: Joi.array().items(FAULT),
});
