import { isLiteralMacro, type Parameters } from './parameters.ts';

/** They have fields of their own in the event. */
const IN_THE_ACTION: readonly string[] = ['click_id', 'order_number', 'uniq_id', 'order_status'];

/** Personal data: kept as evidence alone, which retention may empty. */
const PERSONAL: readonly string[] = ['ip', 'ipv6', 'user_agent'];

const KNOWN: readonly string[] = [
  'offer_name',
  'offer_type',
  'offer_id',
  'type_id',
  'sub',
  'sub2',
  'sub3',
  'sub4',
  'sub5',
  'revenue',
  'commission_fee',
  'currency',
  'click_time',
  'time_of_order',
  'country_code',
];

/** Names what came and is not kept here; it is found whole in the evidence. */
const LEFT_OUT = 'left_out';

const MAX_VALUE = 500;
const MAX_EXTRAS = 20;
const EXTRA_NAME = /^(?!__proto__$|left_out$)[A-Za-z0-9_.-]{1,64}$/;

/**
 * The partner's other fields, as it wrote them. A value that is unreadable or longer than 500
 * characters is not cut but left out, and `left_out` says which; so is every unknown field after the
 * twentieth. Blank values and literal macros mean that the partner has nothing to say.
 */
export function fieldsOf(parameters: Parameters): Readonly<Record<string, string>> {
  const unknown = extras(parameters);
  const kept = new Map<string, string>();
  const leftOut: string[] = [];

  for (const [name, value] of [...known(parameters), ...unknown.slice(0, MAX_EXTRAS)]) {
    if (value === null || value.length > MAX_VALUE) leftOut.push(name);
    else kept.set(name, value);
  }
  leftOut.push(...unknown.slice(MAX_EXTRAS).map(([name]) => name));
  if (leftOut.length > 0) kept.set(LEFT_OUT, leftOut.slice(0, MAX_EXTRAS).join(','));
  return Object.fromEntries(kept);
}

type Field = readonly [name: string, value: string | null];

function known(parameters: Parameters): readonly Field[] {
  return [...parameters].filter(([name, value]) => KNOWN.includes(name) && !isSilent(value));
}

function extras(parameters: Parameters): readonly Field[] {
  const elsewhere = [...KNOWN, ...IN_THE_ACTION, ...PERSONAL];
  return [...parameters].filter(
    ([name, value]) => !elsewhere.includes(name) && EXTRA_NAME.test(name) && !isSilent(value),
  );
}

function isSilent(value: string | null): boolean {
  return value !== null && (value.trim() === '' || isLiteralMacro(value));
}
