import { parsed, senseless, type Parsed } from '@kopeck/core/source';
import { FIELDS, type Network } from './network.ts';
import { isLiteralMacro, textOf, type Parameters, type ReadParameters } from './parameters.ts';

/** A postback under our names, of which those that the booking needs make sense. Empty: a ping. */
export type Postback = ReadParameters;

const ALWAYS_REQUIRED: readonly string[] = ['click_id', 'order_number'];
const IDENTITY = ['uniq_id', 'order_status', 'revenue', 'commission_fee', 'currency'];

/** Longest id; with its prefix it must fit into an account's name of 300 characters. */
const MAX_ID = 255;
const BOUNDED: readonly string[] = [...ALWAYS_REQUIRED, 'uniq_id'];

type Complaint = { readonly error: string; readonly field: string };

/** Refuses what would be booked to the wrong user, order or amount; the rest is left to normalise. */
export function parsePostback(read: ReadParameters | null, network: Network): Parsed<Postback> {
  if (read === null) return refuse({ error: 'malformed_body' }, network);
  if (read.values.size === 0) return parsed(read);

  const postback = { ...read, values: renamed(read.values, network) };
  const complaint = complaintAbout(postback.values, network);
  return complaint === null ? parsed(postback) : refuse(complaint, network);
}

function refuse(complaint: { error: string; field?: string }, { complains }: Network) {
  return complains ? senseless(complaint.error, { ...complaint }) : senseless(complaint.error);
}

/** Only what is mapped means what our name says; another parameter of that name is kept beside it. */
function renamed(values: Parameters, { parameters }: Network): Parameters {
  if (parameters === null) return values;
  const ours: readonly string[] = FIELDS;
  const mapped = new Set<string>(Object.values(parameters));
  const others = [...values].filter(([name]) => !mapped.has(name));
  return new Map([
    ...others.map(
      ([name, value]) => [ours.includes(name) ? `their_${name}` : name, value] as const,
    ),
    ...Object.entries(parameters).flatMap(([field, theirs]) => {
      const value = values.get(theirs);
      return value === undefined ? [] : [[field, value] as const];
    }),
  ]);
}

function complaintAbout(values: Parameters, network: Network): Complaint | null {
  const hasId = textOf(values, 'uniq_id') !== null;
  const required = [...ALWAYS_REQUIRED, ...network.required];
  const synthetic = hasId ? [] : network.syntheticFrom;
  for (const field of [...required, ...IDENTITY, ...synthetic]) {
    const error = mistakeIn(values, field, required);
    if (error !== null) return { error, field };
  }
  return null;
}

function mistakeIn(values: Parameters, field: string, required: readonly string[]): string | null {
  if (values.get(field) === null) return 'unreadable_field';
  const text = textOf(values, field);
  if (text === null) return required.includes(field) ? 'missing_field' : null;
  if (isLiteralMacro(text)) return 'literal_macro';
  return text.length > MAX_ID && BOUNDED.includes(field) ? 'too_long' : null;
}
