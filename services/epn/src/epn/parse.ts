import { parsed, senseless, type Delivery, type Parsed } from '@kopeck/core/source';
import { isLiteralMacro, readParameters, textOf, type Parameters } from '../parameters.ts';

/** A postback's parameters, of which those that the booking needs make sense. Empty: a ping. */
export type EpnPostback = Parameters;

const REQUIRED: readonly string[] = ['click_id', 'order_number'];
const IDENTITY = ['uniq_id', 'order_status', 'revenue', 'commission_fee', 'currency'];
/** Part of the identity only where EPN gives no id of its own. */
const SYNTHETIC_IDENTITY = ['offer_id', 'offer_type'];

/** Longest id; with its prefix it must fit into an account's name of 300 characters. */
const MAX_ID = 255;
const BOUNDED: readonly string[] = [...REQUIRED, 'uniq_id'];

type Complaint = { readonly error: string; readonly field: string };

/** Refuses what would be booked to the wrong user, order or amount; the rest is left to normalise. */
export function parse(delivery: Delivery): Parsed<EpnPostback> {
  const parameters = readParameters(delivery);
  if (parameters === null) return senseless('malformed_body', { error: 'malformed_body' });
  if (parameters.size === 0) return parsed(parameters);

  const complaint = complaintAbout(parameters);
  return complaint === null ? parsed(parameters) : senseless(complaint.error, complaint);
}

function complaintAbout(parameters: Parameters): Complaint | null {
  const hasId = textOf(parameters, 'uniq_id') !== null;
  const fields = [...REQUIRED, ...IDENTITY, ...(hasId ? [] : SYNTHETIC_IDENTITY)];
  for (const field of fields) {
    const error = mistakeIn(parameters, field);
    if (error !== null) return { error, field };
  }
  return null;
}

function mistakeIn(parameters: Parameters, field: string): string | null {
  if (parameters.get(field) === null) return 'unreadable_field';
  const text = textOf(parameters, field);
  if (text === null) return REQUIRED.includes(field) ? 'missing_field' : null;
  if (isLiteralMacro(text)) return 'literal_macro';
  return text.length > MAX_ID && BOUNDED.includes(field) ? 'too_long' : null;
}
