import { expect, test } from 'vitest';
import {
  continued,
  dueMessage,
  ended,
  isForgotten,
  nextAttempt,
  notTold,
  opened,
  told,
} from '../src/incident.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const patience = { reminderMs: 4 * HOUR, retryMs: 20_000 };
const noon = new Date('2026-11-22T12:00:00Z');
const after = (ms: number): Date => new Date(noon.getTime() + ms);

const fresh = opened(undefined, {
  service: 'courier',
  kind: 'database-down',
  detail: {},
  since: noon.toISOString(),
});
const mailed = told(fresh, 'opening', noon);

test('owes the opening mail, then a reminder every few hours, then the closing mail', () => {
  expect(dueMessage(fresh, noon, patience)).toBe('opening');
  expect(dueMessage(mailed, after(1), patience)).toBeNull();
  expect(dueMessage(mailed, after(4 * HOUR), patience)).toBe('reminder');
  const reminded = told(mailed, 'reminder', after(4 * HOUR));
  expect(dueMessage(reminded, after(5 * HOUR), patience)).toBeNull();
  expect(dueMessage(ended(reminded, 'then'), after(5 * HOUR), patience)).toBe('closing');
  const over = told(ended(reminded, 'then'), 'closing', noon);
  expect(dueMessage(over, after(100 * HOUR), patience)).toBeNull();
  expect(isForgotten(over, after(29 * MINUTE))).toBe(false);
  expect(isForgotten(over, after(30 * MINUTE))).toBe(true);
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

test('waits five times longer after each failure, up to an hour, and never gives up', () => {
  const waits = [1, 2, 3, 4, 5, 100].map((failures) => nextAttempt(failures, noon, 20_000));
  expect(waits.map((at) => (at.getTime() - noon.getTime()) / 1000)).toEqual([
    20, 100, 500, 2500, 3600, 3600,
  ]);
});

test('a mail that could not be sent stays owed', () => {
  let incident = fresh;
  for (let failure = 1; failure <= 9; failure += 1) incident = notTold(incident, noon, patience);
  expect(dueMessage(incident, noon, patience)).toBeNull();
  expect(dueMessage(incident, after(HOUR), patience)).toBe('opening');
});

test('what begins again while its end is being told is news once more', () => {
  const again = told(mailed, 'closing', noon);
  expect(dueMessage(again, after(1), patience)).toBe('opening');
});

test('what comes and goes four times within half an hour is told as such, once, until it is quiet', () => {
  const news = (minutes: number) => ({ ...fresh, since: after(minutes * MINUTE).toISOString() });
  let incident = mailed;
  const messages: unknown[] = [];
  for (const minute of [5, 10, 15, 20]) {
    const end = after((minute - 3) * MINUTE);
    incident = ended(incident, end.toISOString());
    const message = dueMessage(incident, after((minute - 2) * MINUTE), patience);
    if (message !== null) incident = told(incident, message, after((minute - 2) * MINUTE));
    incident = opened(incident, news(minute));
    const next = dueMessage(incident, after(minute * MINUTE), patience);
    if (next !== null) incident = told(incident, next, after(minute * MINUTE));
    messages.push(message, next);
  }
  expect(messages).toEqual([
    'closing',
    'opening',
    'closing',
    'opening',
    'closing',
    'flapping',
    null,
    null,
  ]);
  const quiet = ended(incident, after(21 * MINUTE).toISOString());
  expect(dueMessage(quiet, after(50 * MINUTE), patience)).toBeNull();
  expect(dueMessage(quiet, after(51 * MINUTE), patience)).toBe('closing');
  expect(opened(told(quiet, 'closing', after(51 * MINUTE)), news(90)).openings).toHaveLength(1);
});

test('what an earlier life has mailed is not mailed again', () => {
  const mine = opened(undefined, { ...fresh, since: '2026-11-22T13:00:00.000Z' });
  const merged = continued(mine, mailed);
  expect(merged).toMatchObject({ since: noon.toISOString(), endedAt: null });
  expect(dueMessage(merged, after(HOUR), patience)).toBeNull();
});
