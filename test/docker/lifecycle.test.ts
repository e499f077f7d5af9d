import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { query } from '../rig/books.ts';
import { stars } from '../rig/partners.ts';
import { docker } from './docker.ts';
import { install, kopeck } from './install.ts';
import { startPartners, stopPartners } from './partners.ts';
import { compose, inspect, rigOf, SERVICES, stackUnderTest, untilHealthy } from './stack.ts';

const stack = stackUnderTest();
const envFile = join(stack.dir, '.env');

/** Where the books end; the ledger is given the time that it needs. */
async function head(): Promise<string> {
  const [row] = await query(await rigOf(stack), 'SELECT seq, hash FROM chain_head');
  return `${row?.['seq']}:${row?.['hash']}`;
}

/** What is queued is booked, so that the head stands still. */
async function settled(): Promise<string> {
  for (let before = await head(); ;) {
    await compose(stack, 'restart', '--no-deps', 'ledger');
    await untilHealthy(stack, ['ledger']);
    const now = await head();
    if (now === before) return now;
    before = now;
  }
}

async function volumes(): Promise<readonly string[]> {
  const label = `label=com.docker.compose.project=${stack.project}`;
  return (await docker('volume', 'ls', '-q', '--filter', label)).split('\n').filter(Boolean);
}

test('.env and the installation are root’s alone, and no secret is in the log of the installation', async () => {
  expect(statSync(envFile).mode & 0o777).toBe(0o600);
  const log = await docker(
    'run',
    '--rm',
    '-v',
    `${stack.dir}/log:/log:ro`,
    '--user',
    '0',
    '--entrypoint',
    'sh',
    (await inspect(stack, 'sbp')).Image,
    '-c',
    'cat /log/*',
  );
  const secrets = Object.entries(stack.values).filter(([key]) =>
    /PASSWORD|TOKEN|SECRET|_KEY$/.test(key),
  );
  expect(secrets.length).toBeGreaterThan(20);
  expect(secrets.filter(([, value]) => log.includes(value)).map(([key]) => key)).toEqual([]);
});

test('a second install.sh changes neither .env nor a container', async () => {
  const before = readFileSync(envFile);
  const started = await Promise.all(SERVICES.map((name) => inspect(stack, name)));
  await install(stack);
  expect(readFileSync(envFile).equals(before)).toBe(true);
  const now = await Promise.all(SERVICES.map((name) => inspect(stack, name)));
  expect(now.map(({ State }) => State.StartedAt)).toEqual(
    started.map(({ State }) => State.StartedAt),
  );
});

test('after a backup all volumes can go: what is restored ends in the same hash', async () => {
  const answer = await stars(await rigOf(stack), 'lifecycle-charge', '77');
  expect(answer.status).toBe(200);
  const before = await settled();
  const said = await kopeck(stack.dir, 'backup');
  const file = /\S+\.tar/.exec(said)?.[0] ?? '';
  expect(existsSync(file), said).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  await stopPartners(stack);
  await compose(stack, 'down', '--volumes', '--timeout', '5');
  expect(await volumes()).toEqual([]);
  await kopeck(stack.dir, 'restore', file, '--yes');
  await untilHealthy(stack, SERVICES);
  await startPartners(stack);

  expect(await settled()).toBe(before);
  const [row] = await query(
    await rigOf(stack),
    "SELECT amount FROM balances WHERE account = 'user:77'",
  );
  expect(Number(row?.['amount'])).toBe(1500);
}, 300_000);

test('uninstalling keeps the data, and installing again finds it', async () => {
  const before = await settled();
  const kept = await volumes();
  await stopPartners(stack);
  await install(stack, '--uninstall', '--yes');
  expect(
    await docker('ps', '-aq', '--filter', `label=com.docker.compose.project=${stack.project}`),
  ).toBe('');
  expect(existsSync(join(stack.dir, 'bin', 'kopeck'))).toBe(false);
  expect(existsSync(envFile)).toBe(true);
  expect(await volumes()).toEqual(kept);

  await install(stack);
  await untilHealthy(stack, SERVICES);
  await startPartners(stack);
  expect(await head()).toBe(before);
}, 300_000);
