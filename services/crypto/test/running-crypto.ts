import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@kopeck/runtime/config';
import { noLog } from '@kopeck/runtime/log';
import { cryptoConfig } from '../src/config.ts';
import { startCrypto } from '../src/start-crypto.ts';
import {
  API_TOKEN,
  BOT_SECRET,
  BOT_TOKEN,
  MAIN_TOKEN,
  OLD_BOT_SECRET,
  signatureOf,
  TESTNET_TOKEN,
} from './partners.ts';

export interface RunningCrypto {
  readonly url: string;
  readonly metricsUrl: string;
  readonly close: () => Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

type Environment = Readonly<Record<string, string>>;

export const CREDENTIALS: Environment = {
  CRYPTOBOT_TOKEN: MAIN_TOKEN,
  CRYPTOBOT_TESTNET_TOKEN: TESTNET_TOKEN,
  TELEGRAM_BOT_TOKEN: BOT_TOKEN,
  TELEGRAM_WEBHOOK_SECRET: `${BOT_SECRET}, ${OLD_BOT_SECRET}`,
  CRYPTO_API_TOKEN: API_TOKEN,
};

/** The service as main.ts starts it, on free ports and with a journal of its own. */
export async function runCrypto(env: Environment): Promise<RunningCrypto> {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-crypto-'));
  const config = loadConfig(cryptoConfig, {
    HOST: '127.0.0.1',
    CRYPTO_PORT: '0',
    CRYPTO_METRICS_PORT: '0',
    JOURNAL_DIR: dir,
    NDN_PER_STAR: '10',
    ...env,
  });
  const receiver = await startCrypto(config, noLog);
  return {
    url: receiver.url,
    metricsUrl: receiver.metricsUrl,
    async close() {
      await receiver.close();
      await rm(dir, { recursive: true });
    },
  };
}

export async function ask(url: string, init?: RequestInit): Promise<Reply> {
  const response = await fetch(url, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? null : (JSON.parse(text) as unknown),
  };
}

export function postCryptobot(
  { url }: RunningCrypto,
  body: Buffer | string,
  headers: Environment = { 'crypto-pay-api-signature': signatureOf(Buffer.from(body)) },
): Promise<Reply> {
  return post(`${url}/webhook/cryptobot`, body, headers);
}

export function postTelegram(
  { url }: RunningCrypto,
  body: Buffer | string,
  headers: Environment = { 'x-telegram-bot-api-secret-token': BOT_SECRET },
): Promise<Reply> {
  return post(`${url}/webhook/telegram`, body, headers);
}

function post(url: string, body: Buffer | string, headers: Environment): Promise<Reply> {
  return ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(body),
  });
}
