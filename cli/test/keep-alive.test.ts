import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { keepAlive, type Kept } from '../src/suite/keep-alive.ts';
import { hasGone, isAlive, openPidFiles, type PidFiles } from '../src/suite/pids.ts';

let dir: string;
let pidFiles: PidFiles;
let said: string[];
let kept: Kept[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-keep-'));
  pidFiles = openPidFiles(dir);
  said = [];
  kept = [];
});

afterEach(async () => {
  await Promise.all(kept.map((one) => one.stop(100)));
  await rm(dir, { recursive: true });
});

async function keep(script: string): Promise<Kept> {
  const file = join(dir, 'main.mjs');
  await writeFile(file, script);
  const one = keepAlive(
    { name: 'one', args: [file], env: {}, logFile: join(dir, 'log', 'one.log'), onLine: () => {} },
    { pidFiles, say: (line) => void said.push(line) },
  );
  kept.push(one);
  return one;
}

const STAYS = 'console.log("here"); setInterval(() => {}, 1000);';
const logged = (): Promise<string> => readFile(join(dir, 'log', 'one.log'), 'utf8');

test('what was killed is started again, and it is said', async () => {
  const one = await keep(STAYS);
  one.started();
  await waitFor(logged);
  const first = one.pid();
  one.kill('SIGKILL');
  await waitFor(() => one.pid() !== undefined && one.pid() !== first);
  expect(said).toEqual(['one has died (SIGKILL) and is started again.']);
  expect(Number(await readFile(join(dir, 'run', 'one.pid'), 'utf8'))).toBe(one.pid());
});

test('what ends before it was ready is not tried again, and its last words are the error', async () => {
  const one = await keep('console.error("no such key"); process.exit(3);');
  await expect(one.failedToStart).rejects.toThrow('one did not start (exit code 3):\nno such key');
  expect(one.pid()).toBeUndefined();
});

test('what does not stop in time is killed', async () => {
  const one = await keep(`process.on('SIGTERM', () => {}); ${STAYS}`);
  one.started();
  await waitFor(logged);
  const pid = one.pid() ?? 0;
  await one.stop(50);
  expect(isAlive(pid)).toBe(false);
  expect(said).toEqual([]);
});

test('what an earlier start has left behind is ended, and nothing else', async () => {
  const one = await keep(STAYS);
  await waitFor(logged);
  const pid = one.pid() ?? 0;
  const stranger = spawn('sleep', ['60']); // has the pid of one of ours by now
  pidFiles.write('reused', stranger.pid ?? 0);
  await writeFile(join(dir, 'run', 'nonsense.pid'), 'x');

  expect(await pidFiles.endLeftovers(() => join(dir, 'main.mjs'), 5_000)).toEqual(['one']);
  expect(await hasGone(pid, 5_000)).toBe(true);
  expect(isAlive(stranger.pid ?? 0)).toBe(true);
  expect(await readdir(join(dir, 'run'))).not.toContain('reused.pid');
  stranger.kill();
});
