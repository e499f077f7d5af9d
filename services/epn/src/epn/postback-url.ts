/** Every macro of EPN's postbacks, in the order of its cabinet. */
const MACROS = [
  'click_id',
  'order_number',
  'uniq_id',
  'order_status',
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
  'ip',
  'ipv6',
  'user_agent',
  'click_time',
  'time_of_order',
  'country_code',
] as const;

/** The line that the operator copies into EPN's cabinet. `origin`: https://webhook.example.com */
export function postbackUrl(origin: string, token: string): string {
  const query = MACROS.map((macro) => `${macro}={${macro}}`).join('&');
  return `${origin}/webhook/${token}?${query}`;
}
