import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { compose, isHealthy, OURS, stackUnderTest } from './stack.ts';

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, '..', '..', 'deploy', 'memory');
const NODE_MB = 60;
const TOTAL_MB = 512;

test(`the idle suite fits a small server: ${NODE_MB} MB a service, ${TOTAL_MB} MB in all`, async () => {
  const stack = stackUnderTest();
  // As after a reboot: what the first start of an empty installation took is let go.
  await compose(stack, 'restart', '--no-deps', ...OURS);
  const areReady = async (): Promise<boolean> =>
    (await Promise.all(OURS.map((name) => isHealthy(stack, name)))).every(Boolean);
  await waitFor(areReady, { timeoutMs: 90_000, everyMs: 500, what: 'the services to be healthy' });

  // What the start has left behind is given back when it has been quiet for some seconds; where a busy
  // machine makes a start so slow that this comes before its end, a minute later once more.
  let said = '';
  const isSmall = async (): Promise<boolean> => {
    const { stdout } = await run(SCRIPT, [stack.project]);
    said = stdout;
    const megabytes = figuresIn(stdout);
    for (const name of OURS) expect(megabytes.get(name), name).toBeLessThanOrEqual(NODE_MB);
    expect(megabytes.get('total')).toBeLessThanOrEqual(TOTAL_MB);
    return true;
  };
  await waitFor(isSmall, { timeoutMs: 180_000, everyMs: 1_000, what: 'the services to be small' });
  process.stdout.write(said);
}, 300_000);

function figuresIn(table: string): ReadonlyMap<string, number> {
  const rows = table.trim().split('\n');
  return new Map(
    rows.map((row) => row.split(/\s+/)).map(([name = '', figure]) => [name, Number(figure)]),
  );
}
