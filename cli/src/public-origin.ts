import type { Context } from './commands/command.ts';

/** Where partners find us: the public name, or a suite on this machine, whose URL the key holds. */
export function publicOrigin({ find, value }: Context, localKey: string): string {
  const domain = find('WEBHOOK_DOMAIN');
  if (domain === undefined || domain === 'localhost') return value(localKey);
  const port = find('HTTPS_PORT') ?? '443';
  // Behind a proxy of the operator's own the port is that proxy's.
  const isStandard = port === '443' || find('TLS_MODE') === 'external';
  return `https://${domain}${isStandard ? '' : `:${port}`}`;
}
