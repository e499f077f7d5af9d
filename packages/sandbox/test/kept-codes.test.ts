import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEngine, type Engine } from '../src/acquirer/engine.ts';
import { keepCodes } from '../src/acquirer/kept-codes.ts';

const NOW = new Date('2026-01-15T13:00:00.043Z');
const ORDER = {
  order: 'attempt-1',
  merchant: 'MA0000000001',
  kopecks: 9_950n,
  asked: { amount: '99.5' },
  expiresAt: new Date('2026-01-15T14:00:00.000Z'),
};

let dir: string;
let file: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-codes-'));
  file = join(dir, 'sandbox', 'codes.json');
});
afterEach(() => rm(dir, { recursive: true }));

const restarted = (): Engine => createEngine(() => NOW, keepCodes(file));

test('a code of an earlier start is known, with all that happened to it', () => {
  const first = restarted();
  const { qrcId } = first.register(ORDER, 'full');
  first.pay(qrcId, 'declined', null);
  expect(restarted().find(qrcId)).toEqual(first.find(qrcId));
});

test('and can be paid or cancelled, once', () => {
  const paid = restarted().register(ORDER, 'full').qrcId;
  const cancelled = restarted().register(ORDER, 'full').qrcId;
  expect(restarted().pay(paid, 'success', 9_950n).kind).toBe('done');
  expect(restarted().pay(paid, 'success', 9_950n)).toMatchObject({ why: 'already-paid' });

  const engine = restarted();
  const qr = engine.find(cancelled);
  expect(qr !== undefined && engine.cancel(qr)).toBe(true);
  expect(restarted().pay(cancelled, 'success', null)).toMatchObject({ why: 'cancelled' });
});

test('a file that cannot be read is as good as none', async () => {
  const { qrcId } = restarted().register(ORDER, 'full');
  await writeFile(file, '[{');
  expect(restarted().find(qrcId)).toBeUndefined();
});
