import { expect, test } from 'vitest';
import { createForgeries } from '../src/forgeries.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

test('so many forged deliveries of one source within a minute are told, and their end after five quiet ones', () => {
  const said: string[] = [];
  const incidents = {
    open: (kind: string) => void said.push(`open ${kind}`),
    close: (kind: string) => void said.push(`close ${kind}`),
  };
  let clock = Date.UTC(2026, 10, 22, 12);
  const forgeries = createForgeries({ incidents, perMinute: 3, now: () => new Date(clock) });
  const saw = (source: string, times: number): void => {
    for (let each = 0; each < times; each += 1) forgeries.saw(source);
  };

  saw('cryptobot', 2);
  saw('epn', 2);
  clock += MINUTE;
  saw('cryptobot', 2);
  forgeries.look();
  expect(said).toEqual([]);

  saw('cryptobot', 1);
  expect(said).toEqual(['open signatures-failing:cryptobot']);
  clock += 5 * MINUTE - SECOND;
  forgeries.look();
  expect(said).toHaveLength(1);
  clock += SECOND;
  forgeries.look();
  forgeries.look();
  expect(said.slice(1)).toEqual(['close signatures-failing:cryptobot']);
});
