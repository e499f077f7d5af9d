import { expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';

test('returns the first truthy answer', async () => {
  const answers = [null, '', 'there'];
  expect(await waitFor(() => answers.shift(), { everyMs: 1 })).toBe('there');
});

test('takes a throwing check for one that has not succeeded yet', async () => {
  let looks = 0;
  const check = async (): Promise<number> => {
    looks += 1;
    expect(looks).toBeGreaterThan(2);
    return looks;
  };
  expect(await waitFor(check, { everyMs: 1 })).toBe(3);
});

test('says what it waited for and what it saw last', async () => {
  const waiting = waitFor(() => false, { timeoutMs: 5, everyMs: 1, what: 'the order to be paid' });
  await expect(waiting).rejects.toThrow('waited 5 ms for the order to be paid; it was last false');
});

test('keeps the error of the last look as its cause', async () => {
  const cause = new Error('connection refused');
  const check = (): never => {
    throw cause;
  };
  const waiting = waitFor(check, { timeoutMs: 5, everyMs: 1 });
  await expect(waiting).rejects.toMatchObject({
    message: 'waited 5 ms for the condition; the last look failed: connection refused',
    cause,
  });
});
