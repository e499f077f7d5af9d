import { expect, test } from 'vitest';
import { createBreaker } from '../src/breaker.ts';

test('a partner that fails five times in a row is left alone, and tried again with one call', () => {
  let at = 0;
  const changes: boolean[] = [];
  const breaker = createBreaker({
    now: () => new Date(at),
    changed: (isOpen) => void changes.push(isOpen),
  });

  for (let failure = 0; failure < 4; failure += 1) breaker.failed();
  breaker.succeeded();
  for (let failure = 0; failure < 4; failure += 1) breaker.failed();
  expect(breaker.mayCall()).toBe(true);
  breaker.failed();
  expect(breaker.mayCall()).toBe(false);

  at += 10_000;
  expect([breaker.mayCall(), breaker.mayCall()]).toEqual([true, false]);
  breaker.failed();
  expect(breaker.mayCall()).toBe(false);
  at += 10_000;
  expect(breaker.mayCall()).toBe(true);
  breaker.succeeded();
  expect([breaker.mayCall(), breaker.mayCall()]).toEqual([true, true]);
  // The first success is told too: an earlier life of the process may have said that it is away.
  expect(changes).toEqual([false, true, false]);
});
