import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { ORDER, TOKEN } from './postbacks.ts';
import { runEpn } from './running-epn.ts';

const CHILD = join(import.meta.dirname, 'children', 'die-before-answer.ts');

test('a postback that was on disk when its receiver was killed, unanswered, is forwarded once', async () => {
  // To learn a Redis of its own and a folder; it must be stopped before the child takes over.
  const epn = await runEpn(inject('redisUrl'));
  try {
    await epn.stop();
    const child = spawn(process.execPath, [CHILD], {
      env: { PATH: process.env['PATH'], ...epn.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const query = `${ORDER}&uniq_id=killed&commission_fee=5`;
    await expect(fetch(`${line.toString().trim()}/webhook/${TOKEN}?${query}`)).rejects.toThrow();
    expect((await exited)[1]).toBe('SIGKILL');

    const again = await epn.startAgain();
    const kept = async () =>
      (await epn.queued()).filter(({ subject }) => subject === 'affiliate:epn_bz:killed');
    const [event] = await waitFor(async () => {
      const events = await kept();
      return events.length > 0 && events;
    });
    const answer = await fetch(`${again}/webhook/${TOKEN}?${query}`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'duplicate', id: event?.id });
    expect(await kept()).toHaveLength(1);
  } finally {
    await epn.close();
  }
}, 60_000);
