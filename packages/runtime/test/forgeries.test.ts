import { expect, test } from 'vitest';
import { createForgeries } from '../src/forgeries.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

function forgeriesOf(now: () => Date, sources: readonly string[] = []) {
  const said: string[] = [];
  const incidents = {
    open: (kind: string) => void said.push(`open ${kind}`),
    close: (kind: string) => void said.push(`close ${kind}`),
  };
  const quietMs = 5 * MINUTE;
  return { said, forgeries: createForgeries({ sources, incidents, perMinute: 3, quietMs, now }) };
}

test('so many forged deliveries of one source within a minute are told, and their end after five quiet ones', () => {
  let clock = Date.UTC(2026, 10, 22, 12);
  const { said, forgeries } = forgeriesOf(() => new Date(clock));
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

test('what an earlier life of the process has opened is over when the new one has heard nothing', () => {
  let clock = Date.UTC(2026, 10, 22, 12);
  const sources = ['cryptobot', 'telegram'];
  const { said, forgeries } = forgeriesOf(() => new Date(clock), sources);
  forgeries.look();
  expect(said).toEqual([]);
  clock += 5 * MINUTE;
  forgeries.look();
  forgeries.look();
  expect(said).toEqual(['close signatures-failing:cryptobot', 'close signatures-failing:telegram']);
});
