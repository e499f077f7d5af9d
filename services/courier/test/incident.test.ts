import { expect, test } from 'vitest';
import {
  continued,
  dueMessage,
  ended,
  nextAttempt,
  notTold,
  opened,
  told,
} from '../src/incident.ts';
import type { Incident } from '../src/incident.ts';

const HOUR = 3_600_000;
const patience = { reminderMs: 4 * HOUR, retryMs: 20_000 };
const noon = new Date('2026-11-22T12:00:00Z');
const after = (ms: number): Date => new Date(noon.getTime() + ms);

const fresh = opened(undefined, {
  service: 'courier',
  kind: 'database-down',
  detail: {},
  since: noon.toISOString(),
});
const mailed = told(fresh, 'opening', noon) as Incident;

test('owes the opening mail, then a reminder every few hours, then the closing mail', () => {
  expect(dueMessage(fresh, noon, patience)).toBe('opening');
  expect(dueMessage(mailed, after(1), patience)).toBeNull();
  expect(dueMessage(mailed, after(4 * HOUR), patience)).toBe('reminder');
  const reminded = told(mailed, 'reminder', after(4 * HOUR)) as Incident;
  expect(dueMessage(reminded, after(5 * HOUR), patience)).toBeNull();
  expect(dueMessage(ended(reminded, 'then'), after(5 * HOUR), patience)).toBe('closing');
  expect(told(ended(reminded, 'then'), 'closing', noon)).toBeNull();
});

test('reminds of nothing when it was told not to', () => {
  expect(dueMessage(mailed, after(100 * HOUR), { ...patience, reminderMs: 0 })).toBeNull();
});

test('owes the opening mail of an incident that ended before it could be sent', () => {
  expect(dueMessage(ended(fresh, 'then'), noon, patience)).toBe('opening');
});

test('goes on with an incident that begins again before its end was mailed', () => {
  const again = opened(ended(mailed, 'then'), { ...fresh, since: 'later' });
  expect(again).toMatchObject({ since: noon.toISOString(), endedAt: null });
  expect(dueMessage(again, after(1), patience)).toBeNull();
});

test('waits five times longer after each failure and gives up after the fifth', () => {
  const waits = [1, 2, 3, 4, 5].map((failures) => nextAttempt(failures, noon, 20_000)?.getTime());
  expect(waits.map((at) => (at === undefined ? null : (at - noon.getTime()) / 1000))).toEqual([
    20,
    100,
    500,
    2500,
    null,
  ]);
});

test('a mail that is given up counts as told, so that the rest of the story goes on', () => {
  let incident: Incident | null = fresh;
  for (let failure = 1; failure <= 5 && incident !== null; failure += 1) {
    incident = notTold(incident, 'opening', noon, patience);
  }
  expect(incident).toMatchObject({ toldAt: noon.toISOString(), failures: 0, retryAt: null });
});

test('what an earlier life has mailed is not mailed again', () => {
  const mine = opened(undefined, { ...fresh, since: '2026-11-22T13:00:00.000Z' });
  const merged = continued(mine, mailed);
  expect(merged).toMatchObject({ since: noon.toISOString(), endedAt: null });
  expect(dueMessage(merged, after(HOUR), patience)).toBeNull();
});
