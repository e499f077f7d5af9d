import { expect, test } from 'vitest';
import type { Incident, Message } from '../src/incident.ts';
import { alertMail, duration, incidentMail } from '../src/templates.ts';

const now = new Date('2026-11-22T12:00:00Z');
const KINDS = [
  'database-down',
  'redis-down',
  'redis-unsafe',
  'journal-half-full',
  'journal-unavailable',
  'sbp-provider-away:raiffeisen',
  'sbp-refund-failed:0a1b2c3d',
  'sbp-refund-unclear:0a1b2c3d',
  'sbp-refund-untold:0a1b2c3d',
  'something-new',
];
const HEADS = ['What happened: ', 'What it means for money: ', 'What to do: '];

function incident(kind: string, endedAt: string | null): Incident {
  const since = '2026-11-22T08:54:40.000Z';
  const detail = { code: 'ECONNREFUSED' };
  return {
    service: 'courier',
    kind,
    detail,
    since,
    endedAt,
    toldAt: null,
    failures: 0,
    retryAt: null,
    openings: [since],
    restsSince: null,
  };
}

const mails = KINDS.flatMap((kind) =>
  (['opening', 'reminder', 'closing'] satisfies Message[]).map((message) =>
    incidentMail(incident(kind, message === 'closing' ? now.toISOString() : null), message, now),
  ),
).concat(
  ['quarantined', 'conflict', 'something-new'].map((reason) =>
    alertMail({ reason, count: 2, eventIds: ['a', 'b'], since: now, digestMinutes: 15 }),
  ),
);

test.for(mails)(
  'says what happened, what it means for money and what to do: $subject',
  ({ text }) => {
    for (const head of HEADS) expect(text).toContain(head);
  },
);

test.for(mails)(
  'needs no encoding, so that a raw message can be read: $subject',
  ({ text, subject }) => {
    expect(text + subject).toMatch(/^[\n\x20-\x7e]*$/);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(76);
  },
);

test.each([
  'sbp-provider-away:tbank',
  'sbp-refund-failed:0a',
  'sbp-refund-unclear:0a',
  'sbp-refund-untold:0a',
])('%s has a story of its own', (kind) => {
  expect(incidentMail(incident(kind, null), 'opening', now).subject).not.toContain(kind);
});

test('tells when it began and how long it lasted', () => {
  const { subject, text } = incidentMail(
    incident('database-down', now.toISOString()),
    'closing',
    now,
  );
  expect(subject).toMatch(/\(3 h 5 min 20 s\)$/);
  expect(text).toContain('from 2026-11-22 08:54:40 UTC to 2026-11-22 12:00:00 UTC');
});

test('mails of one incident belong to one conversation', () => {
  const [opening, , closing] = mails;
  expect(opening?.thread).toBe(closing?.thread);
});

test.for([
  [0, 'less than a second'],
  [59_600, '1 min'],
  [90_061_000, '1 d 1 h 1 min 1 s'],
] as const)('%i ms are %s', ([ms, text]) => {
  expect(duration(ms)).toBe(text);
});
