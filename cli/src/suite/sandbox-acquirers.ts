import { dirname, join } from 'node:path';
import { openAcquirer } from '@kopeck/sandbox/acquirer/acquirer';
import { openBridge } from '@kopeck/sandbox/acquirer/bridge';
import type { DialectOptions } from '@kopeck/sandbox/acquirer/dialect';
import { openTbank } from '@kopeck/sandbox/acquirer/tbank';
import { openTochka } from '@kopeck/sandbox/acquirer/tochka';
import { openYookassa } from '@kopeck/sandbox/acquirer/yookassa';
import type { OpenDouble } from '@kopeck/sandbox/double';
import type { SandboxConfig } from './sandbox-config.ts';

/** Every acquirer that sbp can talk to, so that any may be tried. */
export function acquirersOf(config: SandboxConfig): readonly OpenDouble[] {
  const common = (provider: string): DialectOptions => ({
    callbackUrl: `${config.SBP_URL}/webhook/sbp/${provider}`,
    codesFile: join(dirname(config.CODES_FILE), `codes-${provider}.json`),
  });
  return [
    openAcquirer({
      ...common('raiffeisen'),
      codesFile: config.CODES_FILE,
      secretKey: current(config.RAIFFEISEN_SECRET_KEY),
      sbpMerchantId: config.RAIFFEISEN_SBP_MERCHANT_ID,
      merchantId: '1234567890',
    }),
    openTbank({
      ...common('tbank'),
      terminalKey: config.TBANK_TERMINAL_KEY,
      password: current(config.TBANK_PASSWORD),
    }),
    openYookassa({
      ...common('yookassa'),
      shopId: config.YOOKASSA_SHOP_ID,
      secretKey: config.YOOKASSA_SECRET_KEY,
    }),
    openTochka({
      ...common('tochka'),
      token: config.TOCHKA_TOKEN,
      merchantId: config.TOCHKA_MERCHANT_ID,
      customerCode: config.TOCHKA_CUSTOMER_CODE,
    }),
    openBridge({ ...common('bridge'), token: current(config.BRIDGE_TOKEN) }),
  ];
}

function current([first = '']: readonly string[]): string {
  return first;
}
