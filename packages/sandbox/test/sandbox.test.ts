import { Router } from 'express';
import { afterEach, expect, test } from 'vitest';
import type { OpenDouble } from '@kopeck/sandbox/double';
import { createSandbox, type Sandbox } from '@kopeck/sandbox/sandbox';

let sandbox: Sandbox;
afterEach(() => sandbox.close());

test('each double answers under its own prefix and is forgotten on reset', async () => {
  sandbox = createSandbox({ doubles: [counter('one'), counter('two')], now: () => new Date(0) });
  const origin = await sandbox.listen(0);

  await fetch(`${origin}/one/hit`, { method: 'POST' });
  expect(await json(`${origin}/__sandbox/one`)).toEqual({ hits: 1, at: 0 });
  expect(await json(`${origin}/__sandbox/two`)).toEqual({ hits: 0, at: 0 });

  await fetch(`${origin}/__sandbox/reset`, { method: 'POST' });
  expect(await json(`${origin}/__sandbox/one`)).toEqual({ hits: 0, at: 0 });
  expect(await json(`${origin}/__sandbox`)).toEqual([
    { name: 'one', prefix: '/one' },
    { name: 'two', prefix: '/two' },
  ]);
});

function counter(name: string): OpenDouble {
  return ({ now }) => {
    let hits = 0;
    const router = Router();
    router.post('/hit', (_request, response) => void response.json({ hits: ++hits }));
    const controls = Router();
    controls.get('/', (_request, response) => void response.json({ hits, at: now().getTime() }));
    return {
      name,
      prefix: `/${name}`,
      router,
      controls,
      reset: () => void (hits = 0),
      close: async () => {},
    };
  };
}

async function json(url: string): Promise<unknown> {
  const response = await fetch(url);
  return await response.json();
}
