import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';

// A repository of its own in a temporary folder: the real launcher, a made-up npm and made-up tools.

const REPOSITORY = join(import.meta.dirname, '..', '..');
const LOCK = { packages: { 'node_modules/left': { version: '1.0.0', integrity: 'sha512-a' } } };
/** `npm ci` puts what the test has prepared in `prepared/` in the place of node_modules. */
const NPM = `#!/bin/sh
echo "$@" >> npm-calls
rm -rf node_modules && cp -R prepared node_modules && cp package-lock.json node_modules/.package-lock.json
`;
/** Says what it got, and on SIGTERM takes leave in its own way. */
const TOOL = `
process.on('SIGTERM', () => { process.stdout.write('leaving'); process.exit(3); });
process.stdout.write(JSON.stringify(process.argv.slice(2)));
if (process.argv.includes('stay')) setInterval(() => {}, 1000);
else process.exit(5);
`;

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kopeck-bootstrap-'));
  const files = ['cli/bootstrap.mjs', 'cli/bootstrap', 'packages/testing/src/find-binaries.mjs'];
  for (const file of files) {
    await cp(join(REPOSITORY, file), join(root, file), { recursive: true });
  }
  await write('package.json', JSON.stringify({ devDependencies: { node: process.versions.node } }));
  await write('package-lock.json', JSON.stringify(LOCK));
  await write('cli/src/simulate.ts', TOOL);
  await write('bin/npm', NPM, 0o755);
  await mkdir(join(root, 'prepared/.bin'), { recursive: true });
  await symlink(process.execPath, join(root, 'prepared/.bin/node'));
});

afterEach(() => rm(root, { recursive: true }));

async function write(file: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), content, { mode });
}

function launch(args: readonly string[], env: Record<string, string> = {}) {
  const PATH = `${join(root, 'bin')}:/usr/bin:/bin`;
  return spawn(process.execPath, ['cli/bootstrap.mjs', ...args], {
    cwd: root,
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function runToEnd(...args: readonly string[]) {
  const child = launch(args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { stdout, stderr, code };
}

async function npmCalls(): Promise<number> {
  if (!existsSync(join(root, 'npm-calls'))) return 0;
  return (await readFile(join(root, 'npm-calls'), 'utf8')).trim().split('\n').length;
}

test('installs the dependencies, says so, and hands over arguments and exit code', async () => {
  const { stdout, code } = await runToEnd('simulate', 'pay', 'order 1');
  expect(stdout).toContain('Installing the dependencies into node_modules with `npm ci`');
  expect(stdout).toMatch(/\["pay","order 1"\]$/);
  expect(code).toBe(5);
  expect(await readFile(join(root, 'npm-calls'), 'utf8')).toBe(
    'ci --loglevel=error --include=dev\n',
  );
});

test('installs again only when package-lock.json says something else', async () => {
  await write('prepared/.bin/prettier', '#!/bin/sh\n', 0o755);
  await runToEnd('check');
  const later = new Date(8_640_000_000_000);
  await utimes(join(root, 'package-lock.json'), later, later);
  await runToEnd('check');
  expect(await npmCalls()).toBe(1);

  const changed = {
    packages: { 'node_modules/left': { version: '1.0.1', integrity: 'sha512-b' } },
  };
  await write('package-lock.json', JSON.stringify(changed));
  await runToEnd('check');
  expect(await npmCalls()).toBe(2);
});

test('says what to do where the Node is not the one that npm should have put there', async () => {
  await rm(join(root, 'prepared/.bin/node'));
  const { stderr, code } = await runToEnd('simulate');
  expect(stderr).toContain(`a Node of its own, ${process.versions.node}`);
  expect(stderr).toContain('npm ci --ignore-scripts=false');
  expect(stderr).not.toContain('    at ');
  expect(code).toBe(1);
});

test('stops when npm fails, without a stack', async () => {
  await write('bin/npm', '#!/bin/sh\nexit 9\n', 0o755);
  const { stderr, code } = await runToEnd('simulate');
  expect(stderr).toBe('`npm ci --loglevel=error --include=dev` failed, see above (exit code 9).\n');
  expect(code).toBe(1);
});

test('knows that nothing runs where nothing is installed', async () => {
  const { stdout, code } = await runToEnd('stop');
  expect(stdout).toBe('Nothing is installed here, so nothing is running.\n');
  expect(code).toBe(0);
  expect(await npmCalls()).toBe(0);
});

test('names its commands when it does not know one', async () => {
  const { stderr, code } = await runToEnd('dance');
  expect(stderr).toContain('start|stop|simulate|kopeck|test|check');
  expect(code).toBe(1);
});

test('passes SIGTERM on, and waits for how it ends', async () => {
  const child = launch(['simulate', 'stay']);
  const stdout = text(child.stdout);
  await waitForTool(child.stdout);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([3, null]);
  expect(await stdout).toMatch(/leaving$/);
});

test('ends what it has started when npm is gone', async () => {
  const npm = spawn(
    '/bin/sh',
    ['-c', `"${process.execPath}" cli/bootstrap.mjs simulate stay; true`],
    {
      cwd: root,
      env: { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, npm_lifecycle_event: 'simulate' },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const stdout = text(npm.stdout);
  await waitForTool(npm.stdout);
  npm.kill('SIGKILL');
  expect(await stdout).toMatch(/leaving$/); // ends only when nobody holds the pipe any more
});

test('runs every check, also after one has failed, and sums up', async () => {
  for (const tool of ['prettier', 'tsc', 'vitest']) {
    await write(`prepared/.bin/${tool}`, '#!/bin/sh\n', 0o755);
  }
  await write('prepared/.bin/oxlint', '#!/bin/sh\nexit 1\n', 0o755);
  const { stdout, code } = await runToEnd('check');
  expect(stdout).toContain(
    [
      'ok      format (prettier)',
      'FAILED  lint (oxlint)',
      'ok      types (tsc)',
      'ok      house rules (vitest)',
    ].join('\n'),
  );
  expect(code).toBe(1);
});

async function waitForTool(stdout: NodeJS.ReadableStream): Promise<void> {
  let seen = '';
  stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  await waitFor(() => seen.includes('["stay"]'), { what: 'the tool to run' });
}
