import { loadConfig } from '@kopeck/runtime/config';
import { runMain } from '@kopeck/runtime/run-main';
import { openBotApi } from '@kopeck/sandbox/bot-api/bot-api';
import { openEpnStats } from '@kopeck/sandbox/epn-stats/epn-stats';
import { openCryptoPay, type CryptoPayOptions } from '@kopeck/sandbox/crypto-pay/crypto-pay';
import { createMailSink } from '@kopeck/sandbox/mail-sink';
import { openPanel } from '@kopeck/sandbox/panel/panel';
import { createSandbox } from '@kopeck/sandbox/sandbox';
import { acquirersOf } from './sandbox-acquirers.ts';
import { sandboxConfig, type SandboxConfig } from './sandbox-config.ts';

/** The partners of `npm start`, in a process of their own: they know no secret of ours but theirs. */
async function start(): Promise<void> {
  const config = loadConfig(sandboxConfig, process.env);
  const now = (): Date => new Date();
  const mail = createMailSink({ dir: config.MAIL_DIR, now });
  await mail.listen(config.MAIL_PORT, config.SANDBOX_HOST);
  const sandbox = createSandbox({ now, doubles: doublesOf(config) });
  await sandbox.listen(config.SANDBOX_PORT, config.SANDBOX_HOST);

  const stop = (): void => {
    void Promise.allSettled([sandbox.close(), mail.close()]).then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function doublesOf(config: SandboxConfig): Parameters<typeof createSandbox>[0]['doubles'] {
  const apps = [
    ...config.CRYPTOBOT_TOKEN.map((token) => ({ token, network: 'main' }) as const),
    ...config.CRYPTOBOT_TESTNET_TOKEN.map((token) => ({ token, network: 'test' }) as const),
  ] as unknown as CryptoPayOptions['apps'];
  return [
    ...acquirersOf(config),
    openCryptoPay({ apps, webhookUrl: `${config.CRYPTO_URL}/webhook/cryptobot` }),
    openBotApi({
      token: config.TELEGRAM_BOT_TOKEN,
      secret: current(config.TELEGRAM_WEBHOOK_SECRET),
      webhookUrl: `${config.CRYPTO_URL}/webhook/telegram`,
    }),
    openEpnStats({
      clientId: config.EPN_STATS_CLIENT_ID,
      refreshToken: config.EPN_STATS_REFRESH_TOKEN,
    }),
    openPanel({
      token: config.PANEL_TOKEN,
      subscribers: [
        {
          server: config.PANEL_SERVER,
          externalId: config.PANEL_SUBSCRIBER,
          links: [
            'vless://7d1f0a52-0d5c-4c3e-9a57-4f2f3a8f6c11@203.0.113.7:443?security=tls#Sandbox',
          ],
        },
      ],
    }),
  ];
}

function current([first = '']: readonly string[]): string {
  return first;
}

runMain(start);
