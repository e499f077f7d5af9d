import { expect, test } from 'vitest';
import { docker } from './docker.ts';
import { inspect, stackUnderTest } from './stack.ts';

const { Image: IMAGE } = await inspect(stackUnderTest(), 'sbp');
const LIMIT_MB = 260;

/** What `find` says in a container of the image. */
function find(...expression: readonly string[]): Promise<string> {
  const options = ['run', '--rm', '--network', 'none', '--user', '0', '--entrypoint', 'find'];
  return docker(...options, IMAGE, '/', '-xdev', ...expression);
}

test(`the image is smaller than ${LIMIT_MB} MB`, async () => {
  const megabytes = Number(await docker('image', 'inspect', '-f', '{{.Size}}', IMAGE)) / 1e6;
  process.stdout.write(`the image has ${megabytes.toFixed(0)} MB\n`);
  expect(megabytes).toBeLessThan(LIMIT_MB);
});

test('there is no npm in it, no documentation, no list of packages', async () => {
  const tools = [
    '-name',
    'npm',
    '-o',
    '-name',
    'npx',
    '-o',
    '-name',
    'yarn',
    '-o',
    '-name',
    'corepack',
  ];
  expect(await find('-path', '/proc', '-prune', '-o', '(', ...tools, ')', '-print')).toBe('');
  for (const folder of [
    '/var/lib/apt/lists/',
    '/usr/share/doc/',
    '/usr/share/man/',
    '/usr/share/locale/',
  ])
    expect(await find('-path', `${folder}*`, '-type', 'f'), folder).toBe('');
});

test('there is nothing in it that only a test or a developer needs', async () => {
  const ours = ['-path', '/app/*', '-not', '-path', '*/node_modules/*'];
  const names = [
    '-name',
    'test',
    '-o',
    '-name',
    'fixtures',
    '-o',
    '-name',
    '*.test.*',
    '-o',
    '-name',
    'bench',
  ];
  expect(await find(...ours, '(', ...names, ')')).toBe('');
  expect(
    await find(...ours, '(', '-name', '*.ts', '-o', '-name', '*.md', '-o', '-name', '.env*', ')'),
  ).toBe('');
  expect(await find('-path', '/app/packages/testing*')).toBe('');
  expect(await find('-path', '/app/*', '-name', '*.pem')).toBe('');
  expect(
    await find(
      '-path',
      '/app/node_modules/*',
      '(',
      '-name',
      'vitest',
      '-o',
      '-name',
      'typescript',
      ')',
    ),
  ).toBe('');
});

test('it runs as a user that can write nothing but the volumes', async () => {
  expect(await docker('image', 'inspect', '-f', '{{.Config.User}}', IMAGE)).toBe('1000:1000');
  const writable = ['(', '-user', '1000', '-o', '-perm', '-o+w', ')', '-not', '-type', 'l'];
  const found = (await find(...writable))
    .split('\n')
    .filter((path) => !/^\/(proc|dev|sys)\b/.test(path));
  expect(found.sort()).toEqual(['/acme', '/run/lock', '/tmp', '/var/lib/kopeck', '/var/tmp']);
});

test('no layer of it tells a secret', async () => {
  const history = await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', IMAGE);
  const config = await docker('image', 'inspect', '-f', '{{json .Config}}', IMAGE);
  expect(history).not.toMatch(/PASSWORD|SECRET|TOKEN|--build-arg|\bARG\b/i);
  expect(config).not.toMatch(/PASSWORD|SECRET|TOKEN/i);
});
