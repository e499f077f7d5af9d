import { FIELDS, PERSONAL_FIELDS, type Field, type Network } from './network.ts';
import { isLiteralMacro, textOf, type Parameters, type ReadParameters } from './parameters.ts';
import { timeText } from './time-text.ts';

/** They have a place of their own in the event. */
const IN_THE_ACTION: readonly Field[] = ['click_id', 'order_number', 'uniq_id', 'order_status'];
const ELSEWHERE: ReadonlySet<string> = new Set([...IN_THE_ACTION, ...PERSONAL_FIELDS]);
const KNOWN: ReadonlySet<string> = new Set(FIELDS.filter((name) => !ELSEWHERE.has(name)));

/** Names that are ours: what was left out, what came twice, and what was assumed. */
const LEFT_OUT = 'left_out';
const REPEATED = 'repeated';
const DEFAULT_CURRENCY = 'default_currency';

const MAX_VALUE = 500;
const MAX_NAMES = 20;
const EXTRA_NAME = /^(?!(?:__proto__|left_out|repeated|default_currency)$)[A-Za-z0-9_.-]{1,64}$/;

/**
 * The partner's other fields, as it wrote them. A value that is unreadable or longer than 500
 * characters is not cut but left out, and `left_out` says which; so is every unknown field after the
 * twentieth. Blank values and literal macros mean that the partner has nothing to say.
 */
export function fieldsOf(
  { values, repeated }: ReadParameters,
  network: Network,
): Record<string, string> {
  const { kept, leftOut } = sorted(values, network);
  if (leftOut.length > 0) kept[LEFT_OUT] = leftOut.slice(0, MAX_NAMES).join(',');

  const twice = repeated.filter((name) => EXTRA_NAME.test(name)).slice(0, MAX_NAMES);
  if (twice.length > 0) kept[REPEATED] = twice.join(',');
  if (textOf(values, 'currency') === null) kept[DEFAULT_CURRENCY] = network.defaultCurrency;
  return kept;
}

function sorted(values: Parameters, { times }: Network) {
  const kept: Record<string, string> = {};
  const leftOut: string[] = [];
  let unknown = 0;
  for (const [name, value] of values) {
    const isKnown = KNOWN.has(name);
    if (isSilent(value) || !(isKnown || isExtra(name))) continue;
    if (!isKnown) unknown += 1;
    if (isShort(value) && (isKnown || unknown <= MAX_NAMES)) {
      kept[name] = timeText(value, times[name as Field]);
    } else leftOut.push(name);
  }
  return { kept, leftOut };
}

function isShort(value: string | null): value is string {
  return value !== null && value.length <= MAX_VALUE;
}

function isExtra(name: string): boolean {
  return !ELSEWHERE.has(name) && EXTRA_NAME.test(name);
}

function isSilent(value: string | null): boolean {
  return value !== null && (value.trim() === '' || isLiteralMacro(value));
}
