import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SERVICES = join(import.meta.dirname, '..', 'services');

test.each(readdirSync(SERVICES))(
  '%s without settings says which it needs, and no stack',
  (name) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(SERVICES, name, 'main.ts')],
      { env: { PATH: process.env['PATH'] }, encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Please set in the environment:\n {2}[A-Z_]+: /);
    expect(stderr.trim().split('\n').slice(1).join('\n')).toMatch(/^( {2}[A-Z_]+: .+(\n|$))+$/);
  },
);
