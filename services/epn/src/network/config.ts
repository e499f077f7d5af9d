import Joi from 'joi';
import type { AffiliateType, Field, Network, TimeFormat } from '../network.ts';
import { FIELDS } from '../network.ts';

type Status = 'waiting' | 'pending' | 'completed' | 'rejected' | 'ignore';

/** A mapping file, as operators write it: see docs/api/epn.md. */
export interface MappingFile {
  readonly partner: string;
  readonly methods: ('GET' | 'POST')[];
  readonly parameters: Readonly<Partial<Record<Field, string>>>;
  readonly statuses: Readonly<Record<string, Status>>;
  readonly times: Readonly<Partial<Record<Field, TimeFormat>>>;
  readonly decimalComma: boolean;
  readonly required: Field[];
  /** Empty: the network gives every action an id of its own, in the parameter of uniq_id. */
  readonly syntheticFrom: Field[];
  readonly defaultCurrency?: string;
  readonly complains: boolean;
  readonly ledgerDown: 'accept' | 'refuse';
}

/** A network with its door: the path, the tokens and how it likes to be answered. */
export interface ConfiguredNetwork extends Network {
  readonly methods: readonly ('GET' | 'POST')[];
  /** Empty: no token is configured, and everything is refused with 503. */
  readonly tokens: readonly string[];
  readonly ledgerDown: 'accept' | 'refuse';
}

/** Names of accounts, paths and sources that are taken. */
const RESERVED = ['epn', 'epn_bz', 'sbp', 'crypto', 'cryptobot', 'telegram', 'admin', 'ledger'];

const field = Joi.string().valid(...FIELDS);
const STATUSES = ['waiting', 'pending', 'completed', 'rejected', 'ignore'];

export const mappingFile = Joi.object<MappingFile, true>({
  partner: Joi.string()
    .pattern(/^[a-z][a-z0-9_-]{1,31}$/)
    .invalid(...RESERVED)
    .required()
    .messages({ '*': 'partner: a lower-case word of 2 to 32 characters that is not taken' }),
  methods: Joi.array()
    .items(Joi.string().valid('GET', 'POST'))
    .min(1)
    .default(['GET', 'POST'])
    .messages({ '*': 'methods: GET, POST or both' }),
  parameters: Joi.object()
    .pattern(field, Joi.string().min(1).max(64))
    .and('click_id', 'order_number', 'order_status')
    .or('click_id')
    .required()
    .messages({
      '*': 'parameters: our field to their parameter, at least click_id, order_number and order_status',
    }),
  statuses: Joi.object()
    .pattern(Joi.string().lowercase().strict(), Joi.string().valid(...STATUSES))
    .min(1)
    .required()
    .messages({ '*': `statuses: their word in lower case to one of ${STATUSES.join(', ')}` }),
  times: Joi.object()
    .pattern(field, Joi.string().valid('as_written', 'iso', 'unix_s', 'unix_ms'))
    .default({})
    .messages({ '*': 'times: a field to as_written, iso, unix_s or unix_ms' }),
  decimalComma: Joi.boolean()
    .default(false)
    .messages({ '*': 'decimalComma: true where amounts are written 1 234,50' }),
  required: Joi.array()
    .items(field)
    .default([])
    .messages({ '*': 'required: fields, besides click_id and order_number' }),
  syntheticFrom: Joi.array()
    .items(Joi.string().valid('order_number', 'offer_id', 'offer_type', 'type_id', 'click_id'))
    .default([])
    .messages({
      '*': 'syntheticFrom: of order_number, offer_id, offer_type, type_id and click_id those that tell an action from others',
    }),
  defaultCurrency: Joi.string()
    .pattern(/^[A-Z0-9]{2,16}$/)
    .messages({ '*': 'defaultCurrency: RUB' }),
  complains: Joi.boolean()
    .default(false)
    .messages({ '*': 'complains: true for 400 instead of 200 where a postback makes no sense' }),
  ledgerDown: Joi.string().valid('accept', 'refuse').default('accept').messages({
    '*': "ledgerDown: accept (200) or refuse (503) while the ledger's database is away",
  }),
})
  .unknown(false)
  .custom((file: MappingFile, helpers) =>
    file.parameters.uniq_id === undefined && file.syntheticFrom.length === 0
      ? helpers.error('identity')
      : file,
  )
  .messages({
    identity: 'identity: map uniq_id, or say in syntheticFrom what an action is told by',
  });

export function networkOf(
  file: MappingFile,
  { tokens, defaultCurrency }: { tokens: readonly string[]; defaultCurrency: string },
): ConfiguredNetwork {
  const { statuses, syntheticFrom, required } = file;
  return {
    ...file,
    statuses: new Map(Object.entries(statuses).map(([word, status]) => [word, typeOf(status)])),
    required: syntheticFrom.length === 0 ? [...required, 'uniq_id'] : required,
    defaultCurrency: file.defaultCurrency ?? defaultCurrency,
    tokens,
  };
}

function typeOf(status: Status): AffiliateType | 'ignore' {
  return status === 'ignore' ? status : `affiliate.${status}`;
}
