import { openBotApi } from '@kopeck/sandbox/bot-api/bot-api';
import { openCryptoPay } from '@kopeck/sandbox/crypto-pay/crypto-pay';
import { createSandbox } from '@kopeck/sandbox/sandbox';
import { BOT_SECRET, BOT_TOKEN, MAIN_TOKEN, TESTNET_TOKEN } from './partners.ts';

export type Json = Record<string, unknown>;

/** Both partners of this service, played by their doubles; nobody is told of anything at first. */
export interface SandboxPartners {
  /** Where the service finds their APIs. */
  readonly env: Readonly<Record<string, string>>;
  readonly control: (path: string, body?: Json, method?: 'POST' | 'PATCH' | 'GET') => Promise<Json>;
  readonly deliverTo: (cryptoUrl: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openSandboxPartners(now = () => new Date()): Promise<SandboxPartners> {
  const apps = [
    { token: MAIN_TOKEN, network: 'main' },
    { token: TESTNET_TOKEN, network: 'test' },
  ] as const;
  const sandbox = createSandbox({
    doubles: [
      openCryptoPay({ apps, webhookUrl: null }),
      openBotApi({ token: BOT_TOKEN, secret: BOT_SECRET, webhookUrl: null }),
    ],
    now,
  });
  const origin = await sandbox.listen(0);

  const control: SandboxPartners['control'] = async (path, body, method = 'POST') => {
    const response = await fetch(`${origin}/__sandbox/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Json;
  };
  return {
    env: {
      CRYPTOBOT_API_URL: `${origin}/crypto-pay/api`,
      CRYPTOBOT_TESTNET_API_URL: `${origin}/crypto-pay/api`,
      TELEGRAM_API_URL: `${origin}/telegram`,
    },
    control,
    async deliverTo(url) {
      await control('crypto-pay/knobs', { webhookUrl: `${url}/webhook/cryptobot` }, 'PATCH');
      await control('bot/knobs', { webhookUrl: `${url}/webhook/telegram` }, 'PATCH');
    },
    close: sandbox.close,
  };
}
