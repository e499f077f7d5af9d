import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const CHILD = join(import.meta.dirname, 'children', 'fill-memory.ts');

/** So that V8 itself sees no reason to clear up. */
const ROOMY = ['--initial-old-space-size=512'];

async function heapsOf(...flags: readonly string[]) {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, CHILD]);
  return JSON.parse(stdout) as Readonly<Record<string, number>>;
}

test('what a burst has left behind is given back when it is quiet, not before, nor again at once', async () => {
  const {
    filled = 0,
    busy,
    quiet,
    refilled = 0,
    soonAfter,
  } = await heapsOf('--expose-gc', ...ROOMY);
  expect(filled).toBeGreaterThan(50);
  expect(busy).toBeGreaterThan(filled * 0.9);
  expect(quiet).toBeLessThan(filled / 2);
  expect(soonAfter).toBeGreaterThan(refilled * 0.9);
});
