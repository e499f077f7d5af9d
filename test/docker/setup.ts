import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '@kopeck/runtime/database';
import { seedPurchase } from '../../services/admin/src/seed.ts';
import { docker } from './docker.ts';
import { install, readEnv } from './install.ts';
import { startPartners, stopPartners } from './partners.ts';
import { envText, settingsFor } from './settings.ts';
import { freePorts, rigOf, type Stack } from './stack.ts';

const PROJECT = 'kopeck-test';
/** A mapping file, put where docs/operations.md says. */
const NETWORK = new URL('../../services/epn/networks/admitad.json', import.meta.url);

/** install.sh on this machine, into a folder of its own, and the partners beside it. Afterwards all of it goes. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await remove();
  const dir = mkdtempSync(join(tmpdir(), 'kopeck-docker-'));
  const ports = await freePorts();
  // What the operator knows; the rest install.sh makes up.
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, '.env'), envText(settingsFor(ports.https)), { mode: 0o600 });
  cpSync(NETWORK, join(dir, 'networks', 'admitad.json'));
  // To look at what a failed test has left. The next run removes it.
  const isKept = process.env['KOPECK_KEEP_STACK'] === '1';
  const removeAll = async (): Promise<void> => {
    if (isKept) return;
    await remove();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await install({ dir, project: PROJECT, ports });
    const stack: Stack = {
      project: PROJECT,
      dir,
      ports,
      values: readEnv(dir),
      url: `https://127.0.0.1:${ports.https}`,
      plainUrl: `http://127.0.0.1:${ports.http}`,
      sandboxUrl: `http://127.0.0.1:${ports.sandbox}`,
    };
    await startPartners(stack);
    await seed(stack);
    project.provide('stack', stack);
  } catch (error) {
    await removeAll();
    throw error;
  }
  return removeAll;
}

/** Also what a run that was killed has left. */
async function remove(): Promise<void> {
  await stopPartners({ project: PROJECT });
  const ofOurs = ['--filter', `label=com.docker.compose.project=${PROJECT}`, '--quiet'];
  for (const [kind, list, away] of [
    ['container', ['--all'], ['--force']],
    ['network', [], []],
    ['volume', [], []],
  ] as const) {
    const ids = (await docker(kind, 'ls', ...list, ...ofOurs)).split('\n').filter(Boolean);
    if (ids.length > 0) await docker(kind, 'rm', ...away, ...ids);
  }
}

async function seed(stack: Stack): Promise<void> {
  const { databaseUrl } = await rigOf(stack);
  const pool = openDatabase(databaseUrl, { connections: 1 });
  await seedPurchase(pool, { id: '1', servers: [{ serverId: 'de1', externalId: 'buyer-1' }] });
  await pool.end();
}
