import { EPN_MACROS } from '@kopeck/core/epn-macros';

/** The line that the operator copies into EPN's cabinet. `origin`: https://webhook.example.com */
export function postbackUrl(origin: string, token: string): string {
  const query = EPN_MACROS.map((macro) => `${macro}={${macro}}`).join('&');
  return `${origin}/webhook/${token}?${query}`;
}
