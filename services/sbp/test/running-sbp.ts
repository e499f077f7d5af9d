import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type { KopeckEvent } from '@kopeck/core/event';
import { loadConfig } from '@kopeck/runtime/config';
import { openDatabase } from '@kopeck/runtime/database';
import { createApp } from '@kopeck/runtime/http-app';
import { listen } from '@kopeck/runtime/listen';
import { createMetrics } from '@kopeck/runtime/metrics';
import { migrate } from '@kopeck/runtime/migrate';
import { openAcquirer } from '@kopeck/sandbox/acquirer/acquirer';
import { openBridge } from '@kopeck/sandbox/acquirer/bridge';
import { openTbank } from '@kopeck/sandbox/acquirer/tbank';
import { openTochka } from '@kopeck/sandbox/acquirer/tochka';
import { openYookassa } from '@kopeck/sandbox/acquirer/yookassa';
import type { OpenDouble } from '@kopeck/sandbox/double';
import { createSandbox } from '@kopeck/sandbox/sandbox';
import { openAttempts, type Attempts } from '../src/attempts.ts';
import { carryOutRefund } from '../src/carry-out-refund.ts';
import { sbpConfig } from '../src/config.ts';
import { look } from '../src/look.ts';
import { createLooker, type Looker } from '../src/looker.ts';
import { openLooks } from '../src/looks.ts';
import { openProviders, type Providers } from '../src/providers.ts';
import { openRefunds } from '../src/refunds.ts';
import { sbpRoutes, type SbpDeps } from '../src/routes.ts';
import { createSql } from '../src/sql.ts';
import { createTestDatabase } from '@kopeck/testing/test-database';
import { fakeJournal, fakeLog } from './fakes.ts';

export const API_TOKEN = 'shop-token-shop-token-shop-token-shop';
export const BANK_KEY = 'bank-secret-bank-secret-bank-secret-bank';
export const MERCHANT_ID = 'MA0000000001';

export interface RunningSbp {
  readonly url: string;
  readonly sandboxUrl: string;
  /** What was appended, once each, as the journal keeps it. */
  readonly events: KopeckEvent[];
  /** Every line of the log, with what it carried. */
  readonly lines: string[];
  readonly looker: Looker;
  readonly refunder: Looker;
  readonly providers: Providers;
  /** Those that are open. */
  readonly incidents: ReadonlySet<string>;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  /** To leave behind what a copy that died leaves behind. */
  readonly attempts: Attempts;
  /** Set: the journal refuses. */
  readonly journal: { error: Error | null };
  readonly advance: (ms: number) => void;
  readonly close: () => Promise<void>;
}

export interface Options {
  /** The bank of another copy, which keeps the callbacks too. */
  readonly sandboxUrl?: string;
  /** Without credentials of the bank. */
  readonly isBare?: boolean;
  /** Callbacks find the service; else they go nowhere. */
  readonly hasCallbacks?: boolean;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly streamPace?: SbpDeps['streamPace'];
}

export interface SbpDatabase {
  readonly url: string;
  readonly empty: () => Promise<unknown>;
  readonly run: (sql: string) => Promise<unknown>;
  readonly drop: () => Promise<void>;
}

/** A migrated database for one test file. */
export async function createSbpDatabase(): Promise<SbpDatabase> {
  const database = await createTestDatabase(inject('mariadbRootUrl'));
  await migrate(database.url);
  const pool = openDatabase(database.url, { connections: 1 });
  return {
    url: database.url,
    async empty() {
      await pool.query('DELETE FROM sbp_orders');
      await pool.query('DELETE FROM sbp_refunds');
    },
    run: (sql) => pool.query(sql),
    async drop() {
      await pool.end();
      await database.drop();
    },
  };
}

/** The same, for one more copy of the service: what is in it stays. */
export function kept({ url }: Pick<SbpDatabase, 'url'>): Pick<SbpDatabase, 'url' | 'empty'> {
  return { url, empty: async () => undefined };
}

/** The service's routes and looker over a real MariaDB and the real sandbox, with a clock to move. */
export async function startTestSbp(
  database: Pick<SbpDatabase, 'url' | 'empty'>,
  options: Options = {},
): Promise<RunningSbp> {
  let at = new Date('2026-01-15T13:00:00.043Z').getTime();
  const now = (): Date => new Date(at);
  await database.empty();

  const sandbox = createSandbox({ doubles: acquirers(), now });
  const sandboxUrl = await sandbox.listen(0);

  const config = loadConfig(sbpConfig, {
    ...environment(database.url, options.sandboxUrl ?? sandboxUrl, options.isBare === true),
    ...options.env,
  });
  const { events, append, journal } = fakeJournal();
  const { log, lines } = fakeLog();
  const open = new Set<string>();
  const incidents = {
    open: (kind: string) => void open.add(kind),
    close: (kind: string) => void open.delete(kind),
  };
  const pool = openDatabase(database.url, { connections: 10 });
  const sql = createSql(pool);
  const deps = {
    config,
    attempts: openAttempts(sql),
    looks: openLooks(sql),
    refunds: openRefunds(sql),
    incidents,
    providers: openProviders(config, {
      now,
      timeoutMs: options.timeoutMs ?? 2_000,
      incidents,
    }),
    append,
    log,
    metrics: createMetrics('sbp'),
    now,
  };
  const looker = createLooker({ ...deps, look: (order) => look(order, deps) });
  const refunder = createLooker({
    ...deps,
    looks: deps.refunds,
    look: (refund) => carryOutRefund(refund, deps),
  });
  const { streamPace } = options;
  const router = sbpRoutes({
    ...deps,
    wake: looker.wake,
    ...(streamPace !== undefined && { streamPace }),
  });
  const server = await listen(createApp({ log, trustProxy: 'loopback', router }), 0, '127.0.0.1');
  const running = {
    url: server.url,
    sandboxUrl,
    events,
    lines,
    looker,
    refunder,
    providers: deps.providers,
    incidents: open,
    journal,
    attempts: deps.attempts,
    metrics: deps.metrics.text,
  };
  if (options.hasCallbacks !== false) {
    for (const [provider, double] of Object.entries(DOUBLES)) {
      const callbackUrl = `${server.url}/webhook/sbp/${provider}`;
      await turn({ sandboxUrl, double }, { callbackUrl, retryDelaysMs: [10, 20, 50, 100] });
    }
  }

  return {
    ...running,
    advance: (ms) => void (at += ms),
    async close() {
      await looker.close();
      await sandbox.close();
      await server.close();
      await pool.end();
    },
  };
}

function environment(
  databaseUrl: string,
  sandboxUrl: string,
  isBare: boolean,
): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    REDIS_URL: 'redis://127.0.0.1:1',
    JOURNAL_DIR: '/nowhere',
    WEBHOOK_API_TOKEN: `${API_TOKEN},old-${API_TOKEN}`,
    ...(!isBare && {
      RAIFFEISEN_URL: `${sandboxUrl}/raiffeisen/api`,
      RAIFFEISEN_SECRET_KEY: BANK_KEY,
      RAIFFEISEN_SBP_MERCHANT_ID: MERCHANT_ID,
      TBANK_URL: `${sandboxUrl}/tbank/v2`,
      TBANK_TERMINAL_KEY: 'SandboxDEMO',
      TBANK_PASSWORD: BANK_KEY,
      YOOKASSA_URL: `${sandboxUrl}/yookassa/v3`,
      YOOKASSA_SHOP_ID: '100500',
      YOOKASSA_SECRET_KEY: BANK_KEY,
      TOCHKA_URL: `${sandboxUrl}/tochka/uapi`,
      TOCHKA_KEYS_URL: `${sandboxUrl}/tochka/keys`,
      TOCHKA_TOKEN: BANK_KEY,
      TOCHKA_MERCHANT_ID: 'MF0000000001',
      TOCHKA_ACCOUNT_ID: '40802810802000000008/044525104',
      BRIDGE_URL: `${sandboxUrl}/bridge`,
      BRIDGE_TOKEN: BANK_KEY,
      TOCHKA_CUSTOMER_CODE: '300000092',
      CARD_NUMBER: '2200000000000053',
      CARD_OWNER: 'IVAN IVANOV',
    }),
  };
}

/** Each provider, and what its double is called in the sandbox. */
export const DOUBLES: Readonly<Record<string, string>> = {
  raiffeisen: 'acquirer',
  tbank: 'tbank',
  yookassa: 'yookassa',
  tochka: 'tochka',
  bridge: 'bridge',
};

function acquirers(): OpenDouble[] {
  const callbackUrl = null;
  const merchant = { secretKey: BANK_KEY, sbpMerchantId: MERCHANT_ID, merchantId: '1780000001' };
  return [
    openAcquirer({ ...merchant, callbackUrl }),
    openTbank({ terminalKey: 'SandboxDEMO', password: BANK_KEY, callbackUrl }),
    openYookassa({ shopId: '100500', secretKey: BANK_KEY, callbackUrl }),
    openTochka({
      token: BANK_KEY,
      merchantId: 'MF0000000001',
      customerCode: '300000092',
      callbackUrl,
    }),
    openBridge({ token: BANK_KEY, callbackUrl }),
  ];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body };
}

const SHOP = { Authorization: `Bearer ${API_TOKEN}`, 'Content-Type': 'application/json' };

/** POST /api/payment with this JSON text or object, as the shop sends it. */
export function postPayment({ url }: { url: string }, body: string | object): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return call(`${url}/api/payment`, { method: 'POST', headers: SHOP, body: text });
}

export function getStatus({ url }: { url: string }, orderId: string): Promise<Answer> {
  return call(`${url}/api/status/${encodeURIComponent(orderId)}`, { headers: SHOP });
}

interface Sandboxed {
  readonly sandboxUrl: string;
  /** Which of its doubles; raiffeisen's when it is not said. */
  readonly double?: string | undefined;
}

async function control(
  sandbox: Sandboxed,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${sandbox.sandboxUrl}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return await response.json();
}

export async function turn(sandbox: Sandboxed, knobs: object): Promise<void> {
  await control(sandbox, 'PATCH', `/__sandbox/${sandbox.double ?? 'acquirer'}/knobs`, knobs);
}

export interface SandboxQr {
  readonly qrId: string;
  readonly order: string;
  readonly amount: string;
  readonly status: string;
  readonly asked: unknown;
  readonly refunds: readonly { readonly status: string; readonly amount: string }[];
}

export async function sandboxQrs(sandbox: Sandboxed): Promise<readonly SandboxQr[]> {
  return (await control(
    sandbox,
    'GET',
    `/__sandbox/${sandbox.double ?? 'acquirer'}/qrs`,
  )) as SandboxQr[];
}

export async function pay(sandbox: Sandboxed, qrId: unknown, more: object = {}): Promise<void> {
  const path = '/raiffeisen/sandbox/nspc-mock/v01/rfuture/payment/init';
  await control(sandbox, 'POST', path, { qrId, ...more });
}

/** A payer of any provider's; `{ decline: true }` declines. */
export async function payAt(sandbox: Sandboxed, qrId: string, more: object = {}): Promise<void> {
  const path = `/__sandbox/${sandbox.double ?? 'acquirer'}/pay`;
  await control(sandbox, 'POST', path, { qrId, ...more });
}

/** Time passes for all, and the bank makes the tries of its callbacks that fall into it. */
export async function passTime(sbp: RunningSbp, sandbox: Sandboxed, ms: number): Promise<void> {
  sbp.advance(ms);
  await control(sandbox, 'POST', `/__sandbox/${sandbox.double ?? 'acquirer'}/clock`, {
    advanceMs: 0,
  });
}

/** Somebody gives money back in the cabinet of the order's provider: nothing of it is written down here. */
export async function giveBackByHand(
  { attempts, providers }: Pick<RunningSbp, 'attempts' | 'providers'>,
  orderId: string,
  kopecks: bigint,
): Promise<void> {
  const order = await attempts.find(orderId);
  if (order === null || order.paymentId === null)
    throw new Error('there is no payment to give back');
  const { provider, attemptId, paymentId, kopecks: paidKopecks } = order;
  const refundKey = randomUUID().replaceAll('-', '');
  const refund = { refundKey, attemptId, paymentId, operationId: null, kopecks, paidKopecks };
  await providers[provider]?.refund(refund);
}

/** POST to the shops' API. */
export function post({ url }: { url: string }, path: string, body: object = {}): Promise<Answer> {
  return call(`${url}${path}`, { method: 'POST', headers: SHOP, body: JSON.stringify(body) });
}

/** Sends the code's notification once more, changed as said; gives the status it was answered with. */
export async function notify(
  sandbox: Sandboxed,
  qrId: string,
  change: object = {},
): Promise<unknown> {
  const sent = await control(
    sandbox,
    'POST',
    `/__sandbox/${sandbox.double ?? 'acquirer'}/callbacks/${qrId}`,
    change,
  );
  return (sent as { status: number }).status;
}

/** The statuses that each callback so far was answered with, try by try. */
export async function callbackStatuses(sandbox: Sandboxed): Promise<readonly number[][]> {
  const sent = (await control(
    sandbox,
    'GET',
    `/__sandbox/${sandbox.double ?? 'acquirer'}/callbacks`,
  )) as {
    statuses: number[];
  }[];
  return sent.map(({ statuses }) => statuses);
}
