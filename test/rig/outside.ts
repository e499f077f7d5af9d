import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { openBotApi } from '@kopeck/sandbox/bot-api/bot-api';
import { makeAuthority } from '@kopeck/sandbox/certificate';
import { openCryptoPay } from '@kopeck/sandbox/crypto-pay/crypto-pay';
import { createSandbox } from '@kopeck/sandbox/sandbox';
import { SECRETS } from './secrets.ts';

/** What the services of a rig meet outside, beyond the partners that every rig has. */
export interface Outside {
  /** Environment that leads there. */
  readonly env: Readonly<Record<string, string>>;
  /** An invoice is paid at CryptoBot, and its webhook never comes. */
  readonly payUnheard: (invoiceId: number) => Promise<void>;
  /** An invoice that Kopeck has made is paid: it, as Crypto Pay tells it from then on. */
  readonly pay: (invoiceId: number) => Promise<object>;
  /** How the operator's own program answers from now on. */
  readonly answer: (status: number) => void;
  readonly close: () => Promise<void>;
}

export async function openOutside(): Promise<Outside> {
  const sandbox = createSandbox({
    doubles: [
      openCryptoPay({
        apps: [
          { token: SECRETS.CRYPTOBOT_TOKEN, network: 'main' },
          { token: SECRETS.CRYPTOBOT_TESTNET_TOKEN, network: 'test' },
        ],
        webhookUrl: null,
      }),
      openBotApi({
        token: SECRETS.TELEGRAM_BOT_TOKEN,
        secret: SECRETS.TELEGRAM_WEBHOOK_SECRET,
        webhookUrl: null,
      }),
    ],
    now: () => new Date(),
  });
  const origin = await sandbox.listen(0);
  async function control(name: string, body: object): Promise<unknown> {
    const response = await fetch(`${origin}/__sandbox/crypto-pay/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  }
  let status = 200;
  const program = createServer((_request, response) => void response.writeHead(status).end());
  const shop = createTlsServer(makeAuthority('127.0.0.1'));
  const ports = await Promise.all([program, shop].map(portOf));
  return {
    env: {
      CRYPTOBOT_API_URL: `${origin}/crypto-pay/api`,
      CRYPTOBOT_TESTNET_API_URL: `${origin}/crypto-pay/api`,
      TELEGRAM_API_URL: `${origin}/telegram`,
      FULFILMENT_URL: `http://127.0.0.1:${ports[0]}/paid`,
      CERTIFICATE_OF: `127.0.0.1:${ports[1]}`,
    },
    async payUnheard(invoiceId) {
      await control('send', { invoice_id: invoiceId, amount: '5' });
    },
    async pay(invoiceId) {
      const { invoice } = (await control('pay', { invoice_id: invoiceId })) as { invoice: object };
      return invoice;
    },
    answer: (next) => void (status = next),
    close: async () => {
      program.close();
      shop.close();
      await sandbox.close();
    },
  };
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
