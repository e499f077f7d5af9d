import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../src/suite/settings.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('docs/operations.md says of every alert what to do', () => {
  const folder = 'services/courier/src';
  const stories = readdirSync(join(ROOT, folder)).filter((name) =>
    /(stories|templates|alert-reasons)\.ts$/.test(name),
  );
  const kinds = stories.flatMap((name) =>
    [...read(`${folder}/${name}`).matchAll(/^ {2}'?([a-z-]+)'?: \{$/gm)].map(([, kind]) => kind),
  );
  expect(kinds.length).toBeGreaterThan(15);
  const text = read('docs/operations.md');
  expect(kinds.filter((kind) => !text.includes(`| \`${kind}\``))).toEqual([]);
});

test('docs/operations.md names every exit code of the installer', () => {
  const scripts = ['install.sh', 'deploy/install', ...shellLibrary()].map(read).join('\n');
  const codes = [...scripts.matchAll(/\b(?:die|fail) (\d+)/g)].map(([, code]) => code ?? '');
  const text = read('docs/operations.md');
  expect(
    [...new Set(codes)].filter((code) => !new RegExp(`^\\| [\\d, ]*\\b${code}\\b`, 'm').test(text)),
  ).toEqual([]);
});

test('a command of the suite calls itself as the operator has called it', () => {
  const { status, stderr } = kopeck('audit', '--nonsense');
  expect(status).toBe(2);
  expect(stderr).toMatch(/^usage: kopeck audit/);
});

test.each(['nonsense', 'constructor'])(
  'a command %s is said not to exist, and which do',
  (name) => {
    const { status, stderr } = kopeck(name);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      new RegExp(`^There is no command '${name}'\\.\n\nusage: kopeck <command>[^]*\n  audit `),
    );
  },
);

test('help says which commands there are', () => {
  expect(kopeck('--help')).toMatchObject({ status: 0, stdout: kopeck().stdout });
  expect(kopeck().stdout).toMatch(/^usage: kopeck <command>/);
});

function kopeck(...args: readonly string[]) {
  return spawnSync(process.execPath, ['cli/src/kopeck.ts', ...args], {
    cwd: ROOT,
    env: { KOPECK_COMMAND: 'kopeck' },
    encoding: 'utf8',
  });
}

function shellLibrary(): readonly string[] {
  return readdirSync(join(ROOT, 'deploy/lib')).map((name) => `deploy/lib/${name}`);
}
