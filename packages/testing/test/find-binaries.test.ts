import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireBinaries } from '@kopeck/testing/binaries';
import { findBinaries } from '../src/find-binaries.mjs';

const MARIADB = ['mariadbd', 'mariadb-install-db', 'mariadb'];

let root: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'kopeck-binaries-')));
});

afterEach(() => rm(root, { recursive: true }));

async function folderWith(name: string, files: readonly string[], mode = 0o755): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  for (const file of files) await writeFile(join(folder, file), '#!/bin/sh\n', { mode });
  return folder;
}

test('finds what this machine has', () => {
  expect(requireBinaries()).toMatchObject({ mariadbd: expect.stringContaining('mariadbd') });
});

test('looks in the path first, then in the usual folders', async () => {
  const path = await folderWith('mine', ['mariadbd']);
  const usual = await folderWith('usual', [...MARIADB, 'redis-server']);
  expect(findBinaries({ path, folders: [usual] }).binaries).toEqual({
    mariadbd: join(path, 'mariadbd'),
    mariadbInstallDb: join(usual, 'mariadb-install-db'),
    mariadb: join(usual, 'mariadb'),
    redisServer: { command: join(usual, 'redis-server'), argv0: 'redis-server' },
  });
});

test('takes redis-check-rdb for a Redis, where a link or nothing has its name', async () => {
  const folder = await folderWith('debian', [...MARIADB, 'redis-check-rdb']);
  const redisServer = { command: join(folder, 'redis-check-rdb'), argv0: 'redis-server' };
  expect(findBinaries({ folders: [folder] }).binaries?.redisServer).toEqual(redisServer);

  await symlink('redis-check-rdb', join(folder, 'redis-server'));
  expect(findBinaries({ folders: [folder] }).binaries?.redisServer).toEqual(redisServer);
});

test('names what is missing, and what cannot be executed', async () => {
  const folder = await folderWith('half', ['mariadb']);
  await folderWith('half', ['mariadbd'], 0o644);
  expect(findBinaries({ folders: [folder] })).toEqual({
    missing: ['mariadbd', 'mariadb-install-db', 'redis-server'],
  });
});
