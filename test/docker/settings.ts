import { PANEL_TOKEN, SECRETS } from '../rig/secrets.ts';

/** The secret end of the URL of a network that only a mapping file knows. */
export const NETWORK_TOKEN = 'admitad-token-of-the-stack_0123456789abc';

const PARTNERS = 'http://partners:9100';

/** What .env says of the partners, whose doubles are in the container `partners`. */
export function settingsFor(httpsPort: number): Record<string, string> {
  const { HOST: _loopback, ...secrets } = SECRETS;
  return {
    ...secrets,
    AFFILIATE_TOKENS: `admitad:${NETWORK_TOKEN}`,
    SBP_PUBLIC_URL: `https://kopeck.test:${httpsPort}`,
    RAIFFEISEN_URL: `${PARTNERS}/raiffeisen/api`,
    CRYPTOBOT_API_URL: `${PARTNERS}/crypto-pay/api`,
    CRYPTOBOT_TESTNET_API_URL: `${PARTNERS}/crypto-pay/api`,
    TELEGRAM_API_URL: `${PARTNERS}/telegram`,
    PANELS: JSON.stringify({
      de1: { kind: 'sandbox', url: `${PARTNERS}/panel`, token: PANEL_TOKEN },
    }),
  };
}

/** As Compose reads it: in single quotes nothing is filled in. */
export function envText(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}='${value.replaceAll("'", "\\'")}'\n`)
    .join('');
}
