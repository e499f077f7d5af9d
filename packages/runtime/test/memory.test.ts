import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const CHILD = join(import.meta.dirname, 'children', 'fill-memory.ts');

async function heapsOf(...flags: readonly string[]) {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, CHILD]);
  return JSON.parse(stdout) as { filled: number; busy: number; quiet: number };
}

test('what a burst has left behind is given back when it is quiet, and not before', async () => {
  const { filled, busy, quiet } = await heapsOf('--expose-gc');
  expect(busy).toBeGreaterThan(filled * 0.9);
  expect(quiet).toBeLessThan(filled / 2);
});
