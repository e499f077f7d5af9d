import { isRecord, textAt } from '@kopeck/core/json';
import { payAppsOf, type CryptoPayApp } from '../../../services/crypto/src/cryptobot/client.ts';
import type { Context } from '../commands/command.ts';
import { error, ok, type Check, type Finding } from './check.ts';

/** Crypto Pay has no method that tells of its webhook: see the check of deliveries for that. */
export const CRYPTOBOT_CHECKS: readonly Check[] = [
  {
    name: 'cryptobot-token',
    run: async (context) => Promise.all(appsOf(context).map((app) => token(app))),
  },
];

function appsOf({ find }: Context): readonly CryptoPayApp[] {
  const list = (key: string): string[] =>
    (find(key) ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter((part) => /^\d+:/.test(part));
  return payAppsOf({
    CRYPTOBOT_TOKEN: list('CRYPTOBOT_TOKEN'),
    CRYPTOBOT_TESTNET_TOKEN: list('CRYPTOBOT_TESTNET_TOKEN'),
    CRYPTOBOT_API_URL: find('CRYPTOBOT_API_URL') ?? 'https://pay.crypt.bot/api',
    CRYPTOBOT_TESTNET_API_URL:
      find('CRYPTOBOT_TESTNET_API_URL') ?? 'https://testnet-pay.crypt.bot/api',
  });
}

const KEY = { main: 'CRYPTOBOT_TOKEN', test: 'CRYPTOBOT_TESTNET_TOKEN' } as const;
const BOT = { main: '@CryptoBot', test: '@CryptoTestnetBot' } as const;

async function token({ app, network, call }: CryptoPayApp): Promise<Finding> {
  const called = await call('getMe', {});
  const whose = `the token of app ${app} in ${KEY[network]}`;
  if (called.kind === 'refused') {
    const cure = `Look the token up in ${BOT[network]} (Crypto Pay, My Apps), and see whether the app allows calls from this address.`;
    return error(`${whose} is refused: ${called.name}`, cure);
  }
  if (called.kind !== 'ok') {
    return error(`Crypto Pay does not answer for app ${app}`, 'See that this machine may call it.');
  }
  const bot = isRecord(called.result)
    ? textAt(called.result, 'payment_processing_bot_username')
    : null;
  const isOther = bot !== null && `@${bot}` !== BOT[network];
  return isOther
    ? error(
        `${whose} belongs to @${bot}`,
        `Put it into ${KEY[network === 'main' ? 'test' : 'main']}.`,
      )
    : ok(`${whose} is right`);
}
