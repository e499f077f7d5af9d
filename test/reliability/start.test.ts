import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { isAlive } from '../../cli/src/suite/pids.ts';
import {
  freeOffset,
  runCli,
  runToEnd,
  waitForSuite,
  type Run,
} from '../../cli/test/start-helpers.ts';

// One suite for the whole file: the tests follow its life, from the first start to the last kill.
const START = ['cli/src/start.ts'];
const SERVICES = ['sbp', 'crypto', 'epn', 'admin', 'ledger', 'courier'];
const PROCESSES = [...SERVICES, 'sandbox', 'mariadb', 'redis'];

let home: string;
let env: Record<string, string>;
let suite: Run;
let values: Record<string, string>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kopeck start '));
  env = { KOPECK_HOME: home, KOPECK_PORT_OFFSET: await freeOffset() };
  await start();
}, 90_000);

afterAll(async () => {
  suite.child.kill('SIGTERM');
  await suite.code;
  await rm(home, { recursive: true });
}, 60_000);

async function start(): Promise<void> {
  suite = runCli(START, env);
  values = await waitForSuite(home, suite);
  await waitFor(() => suite.output().includes('for a shell to source'), { what: 'the banner' });
}

const simulate = (...args: string[]): Promise<{ output: string; code: number | null }> =>
  runToEnd(['cli/src/simulate.ts', ...args], env);
const pidOf = (name: string): number =>
  Number(readFileSync(join(home, 'run', `${name}.pid`), 'utf8'));
const url = (key: string): string => values[key] ?? '';

async function balance(account: string): Promise<unknown> {
  const headers = { Authorization: `Bearer ${values['LEDGER_API_TOKEN']}` };
  const response = await fetch(`${url('LEDGER_URL')}/api/ledger/balances/${account}`, { headers });
  return ((await response.json()) as { balances: unknown }).balances;
}

test('prints where everything is, and no secret', () => {
  const secrets = Object.entries(values).filter(([key]) => /TOKEN|SECRET|_KEY$/.test(key));
  expect(secrets.length).toBeGreaterThan(6);
  for (const [, secret] of secrets) expect(suite.output()).not.toContain(secret);
  for (const name of SERVICES) {
    expect(suite.output()).toContain(url(`${name.toUpperCase()}_URL`));
  }
});

test('prints five curl lines that work in any shell, in any folder', async () => {
  const lines = suite.output().match(/^curl .*$/gm) ?? [];
  expect(lines).toHaveLength(5);
  const answers: string[] = [];
  for (const line of lines) {
    const { stdout } = await promisify(execFile)('sh', ['-c', `${line} -s --fail-with-body`], {
      cwd: tmpdir(),
    });
    answers.push(stdout);
  }
  expect(answers).toEqual([
    expect.stringMatching(/"success":true,"orderId":"order-1","qrcId":"\w{32}"/),
    expect.stringContaining('"status":"accepted"'),
    expect.stringContaining('"status":"accepted"'),
    expect.stringContaining('"links":1'),
    expect.stringContaining('"account":"user:5123456789"'),
  ]);
});

test('kopeck.env is for its owner only, and names the supervisor', () => {
  expect(statSync(join(home, 'kopeck.env')).mode & 0o777).toBe(0o600);
  expect(Number(values['KOPECK_PID'])).toBe(suite.child.pid);
});

test('DATABASE_URL reads the books and cannot change them', async () => {
  const connection = await createConnection(url('DATABASE_URL'));
  await connection.query('SELECT count(*) FROM postings');
  await expect(connection.query('DELETE FROM postings')).rejects.toMatchObject({
    code: 'ER_TABLEACCESS_DENIED_ERROR',
  });
  await connection.end();
});

test('simulate pays an order, makes it first where it is unknown, and shows what was booked', async () => {
  const { output, code } = await simulate('pay', 'order-2', '99.50');
  expect({ output, code }).toMatchObject({ code: 0 });
  expect(output).toContain('Authorization: Bearer ***');
  expect(output).toMatch(/provider:sbp:raiffeisen +\+99\.5 RUB\n +sales +-99\.5 RUB/);
  const again = await simulate('pay', 'order-2');
  expect(again.output).toContain('paid already');
});

test('a request may name any acquirer, whose double is there too', async () => {
  const providers = ['tbank', 'yookassa', 'tochka', 'bridge'];
  const runs = providers.map((provider) => simulate('pay', `at-${provider}`, '10', provider));
  for (const [index, { output, code }] of (await Promise.all(runs)).entries()) {
    expect({ output, code }).toMatchObject({ code: 0 });
    expect(output).toMatch(new RegExp(`provider:sbp:${providers[index]} +\\+10 RUB`));
  }
});

test('simulate plays Telegram, CryptoBot and EPN', async () => {
  const [stars, cryptobot, epn] = await Promise.all([
    simulate('stars', '700', '1500'),
    simulate('cryptobot', '12345', '2.5', 'TON'),
    simulate('epn', 'ORDER-7', 'completed', '80'),
  ]);
  expect(stars.output).toMatch(/user:700 +\+1500 NDN[^]*provider:telegram +\+150 XTR/);
  expect(cryptobot.output).toMatch(/provider:cryptobot +\+2\.425 TON/);
  expect(epn.output).toMatch(/provider:epn +\+80 RUB/);
  for (const { output } of [stars, cryptobot, epn]) {
    for (const key of ['TELEGRAM_WEBHOOK_SECRET', 'CRYPTOBOT_TOKEN', 'EPN_SECRET_TOKEN']) {
      expect(output).not.toContain(url(key));
    }
  }
});

test.for([
  [['epn', 'ORDER-7', 'done'], "'done' is no status of EPN"],
  [['stars', 'me', '5'], "'me' is no Telegram user id"],
  [['pay', 'order-3', '-1'], "'-1' is no amount of roubles"],
  [['cryptobot', '0'], "'0' is no invoice id"],
  [['pay'], 'Usage: npm run simulate -- pay <order>'],
  [['dance'], "There is no 'dance'"],
] as const)('simulate %j is told what is wrong with it', async ([args, message]) => {
  const { output, code } = await simulate(...args);
  expect(output).toContain(message);
  expect(code).toBe(1);
});

test('a second start in the same folder says that it runs, and where', async () => {
  const { output, code } = await runToEnd(START, env);
  expect(output).toContain(`Kopeck is running already (process ${suite.child.pid})`);
  expect(output).toContain(url('LEDGER_URL'));
  expect(code).toBe(1);
  expect(existsSync(join(home, 'kopeck.env'))).toBe(true);
});

test('a port that is taken is named with its key, before anything is started', async () => {
  const other = await mkdtemp(join(tmpdir(), 'kopeck-start-'));
  const { output, code } = await runToEnd(START, { ...env, KOPECK_HOME: other });
  expect(output).toContain(`Port ${values['SBP_PORT']} (SBP_PORT) is taken by another program.`);
  expect(code).toBe(1);
  expect(existsSync(join(other, 'mariadb'))).toBe(false);
  await rm(other, { recursive: true });
});

test('a service that is killed is started again', async () => {
  const before = pidOf('epn');
  process.kill(before, 'SIGKILL');
  await waitFor(() => pidOf('epn') !== before, { what: 'another epn' });
  await waitFor(async () => (await fetch(`${url('EPN_METRICS_URL')}/ready`)).ok);
  expect(suite.output()).toContain('epn has died (SIGKILL) and is started again.');
});

test('goes on when nobody reads its output any more', async () => {
  suite.child.stdout?.destroy();
  suite.child.stderr?.destroy();
  const before = pidOf('courier');
  process.kill(before, 'SIGKILL'); // which is said
  await waitFor(() => pidOf('courier') !== before, { what: 'another courier' });
  await waitFor(async () => (await fetch(`${url('COURIER_METRICS_URL')}/ready`)).ok);
});

test('npm stop stops all of it, and a second start finds its data', async () => {
  const pids = PROCESSES.map(pidOf);
  const { output, code } = await runToEnd(['cli/src/stop.ts'], env);
  expect({ output, code }).toEqual({ output: 'Stopped.\n', code: 0 });
  expect(await suite.code).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(existsSync(join(home, 'kopeck.env'))).toBe(false);
  expect(readdirSync(join(home, 'run'))).toEqual([]);
  expect((await runToEnd(['cli/src/stop.ts'], env)).output).toContain('No suite is running');
  expect((await simulate('pay', 'order-1')).output).toContain('No suite is running');

  const before = values;
  await start();
  expect({ ...values, KOPECK_PID: '' }).toEqual({ ...before, KOPECK_PID: '' });
  expect(await balance('user:700')).toEqual([{ asset: 'NDN', amount: '1500' }]);
  const { output: paid } = await simulate('pay', 'order-1');
  expect(paid).toMatch(/provider:sbp:raiffeisen +\+100 RUB/);
}, 90_000);

test('nothing is left when the supervisor is killed', async () => {
  const pids = PROCESSES.map(pidOf);
  suite.child.kill('SIGKILL');
  await waitFor(() => pids.filter(isAlive).length === 0, {
    timeoutMs: 20_000,
    what: 'all processes to go',
  });
});
