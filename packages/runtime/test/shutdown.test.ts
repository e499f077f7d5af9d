import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { noLog } from '@kopeck/runtime/log';
import { createClosing, withDeadline } from '@kopeck/runtime/shutdown';
import { recordingLog } from './recording-log.ts';

const forEver = new Promise<never>(() => {});

describe('closing', () => {
  test('goes from the last that was opened to the first, one after the other', async () => {
    const order: string[] = [];
    const closing = createClosing(noLog);
    for (const name of ['redis', 'journal', 'http']) {
      closing.add(name, async () => {
        order.push(`${name} closes`);
        await new Promise(setImmediate);
        order.push(`${name} is closed`);
      });
    }
    await closing.run();
    expect(order).toEqual([
      'http closes',
      'http is closed',
      'journal closes',
      'journal is closed',
      'redis closes',
      'redis is closed',
    ]);
  });

  test('happens once, however often it is asked for', async () => {
    let times = 0;
    const closing = createClosing(noLog);
    closing.add('part', () => void (times += 1));
    await Promise.all([closing.run(), closing.run()]);
    await closing.run();
    expect(times).toBe(1);
  });

  test('goes on after what fails, and after what hangs, and names them', async () => {
    const { log, lines } = recordingLog();
    const closed: string[] = [];
    const closing = createClosing(log, 20);
    closing.add('last', () => void closed.push('last'));
    closing.add('hanging', () => forEver);
    closing.add('failing', () => Promise.reject(new Error('no')));
    closing.add('throwing', () => {
      throw new Error('no');
    });
    await closing.run();
    expect(closed).toEqual(['last']);
    expect(lines.map(({ level, meta }) => [level, meta['part']])).toEqual([
      ['warn', 'throwing'],
      ['warn', 'failing'],
      ['warn', 'hanging'],
    ]);
  });
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s closes everything in order and ends the process',
  async (signal) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'children', 'closing.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const said: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      const { message } = JSON.parse(line) as { message: string };
      if (message === 'ready') child.kill(signal);
      else said.push(message);
    }
    expect(said).toEqual(['stopping', 'closed third', 'closed second', 'closed first']);
    expect(await exited).toEqual([0, null]);
  },
);

describe('a deadline', () => {
  test.each([
    ['resolves', () => Promise.resolve()],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('is not waited for when the work %s', async (_how, work) => {
    const timers = timersUnderWay();
    await withDeadline(work(), 3_600_000);
    expect(timersUnderWay()).toBe(timers);
  });

  test('ends the wait for what never ends', async () => {
    await withDeadline(forEver, 1);
  });
});

function timersUnderWay(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}
