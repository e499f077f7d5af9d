import { alertReason } from './alert-reasons.ts';
import type { Incident, Message } from './incident.ts';
import type { Mail } from './mailer.ts';
import { OPERATOR_STORIES } from './operator-stories.ts';
import { SBP_STORIES } from './sbp-stories.ts';
import type { Story } from './story.ts';
import { WATCH_STORIES } from './watch-stories.ts';

/** Everything the courier says about an incident. Ids and numbers are added; nothing else ever is. */
const STORIES: Readonly<Record<string, Story>> = {
  'database-down': {
    title: "the ledger's database (MariaDB) is down",
    what: 'MariaDB does not answer.',
    money:
      'Nothing is lost. The receivers keep every event in their journals and in Redis, and all of it is booked when the database is back. Until then balances stand still, new SBP orders are refused (503), and EPN is answered 503 so that it sends again.',
    todo: 'See whether MariaDB runs, whether its disk is full, and whether DATABASE_URL is still right. Nothing has to be repeated afterwards.',
  },
  'redis-down': {
    title: 'Redis is down',
    what: 'Redis does not answer.',
    money:
      'Nothing is lost as long as the journals have room (JOURNAL_MAX_BYTES each, and 10 % of the disk free): the receivers go on answering and keep every event there, and all of it is booked when Redis is back. After that they answer 503, and cannot tell you so while Redis is away. Until then nothing new is booked.',
    todo: 'See whether Redis runs, whether its memory or disk is full, and whether REDIS_URL is still right. Nothing has to be repeated afterwards.',
  },
  'journal-half-full': {
    title: 'a journal is more than half full',
    what: 'Events come in faster than they are forwarded: Redis or the ledger is away, slow or full.',
    money:
      'Nothing is lost yet. When the journal is full the receiver answers 503, and a partner that does not send again is then the only one who knows of the payment.',
    todo: 'Find out why events are not forwarded (other mails of this hour, /ready on the metrics ports), or give the journal more room with JOURNAL_MAX_BYTES.',
  },
  'journal-unavailable': {
    title: 'a receiver cannot write its journal',
    what: 'Events cannot be made durable, so the receiver answers 503 and asks partners to come again.',
    money:
      'What has been answered 200 is safe. New events exist only at the partner until the journal can be written: most send again for hours or days, EPN perhaps not at all.',
    todo: 'Look at the disk (less than 10 % free?), at the rights of JOURNAL_DIR and at JOURNAL_MAX_BYTES. At once.',
  },
  'webhook-dead': {
    title: 'calls to FULFILMENT_URL have failed for good',
    what: 'Your own program was told of payments for more than a day, again and again, and has not taken it.',
    money:
      'All of it is booked and nothing is lost: only your program does not know of it. Users may have paid for something that they have not been given.',
    todo: 'See why the program refuses or does not answer (column last_error of the table outbox), then have the calls made again: kopeck replay.',
  },
  'redis-unsafe': {
    title: 'Redis may forget what it was told',
    what: 'Redis answers, but it evicts keys or does not fsync its append-only file. Nothing is forwarded to it.',
    money:
      'Nothing is lost: events stay in the journals until Redis is safe. Nothing new is booked.',
    todo: 'Set appendonly yes, appendfsync always and maxmemory-policy noeviction.',
  },
  ...SBP_STORIES,
  ...OPERATOR_STORIES,
  ...WATCH_STORIES,
};

const UNKNOWN: Story = {
  title: 'a service reports trouble',
  what: 'See the name and the figures below.',
  money: 'What has been answered 200 is on disk and is booked as soon as that is possible.',
  todo: "Look into the service's log at that time.",
};

const WORD: Record<Message, string> = {
  opening: 'OPEN',
  flapping: 'COMES AND GOES',
  reminder: 'STILL OPEN',
  closing: 'OVER',
};

export function incidentMail(incident: Incident, message: Message, now: Date): Mail {
  const { service, kind, since, endedAt } = incident;
  const story = storyOf(kind);
  const lasted = duration(Date.parse(endedAt ?? now.toISOString()) - Date.parse(since));
  const news = message === 'closing' ? closing(story, incident, lasted) : opening(story, since);
  const flapping = message === 'flapping' ? [paragraph('Next mail', FLAPPING)] : [];
  const figures = Object.entries({ service, ...incident.detail });
  return {
    subject: `${WORD[message]}: ${story.title}${message === 'reminder' || message === 'closing' ? ` (${lasted})` : ''}`,
    thread: `${service}.${kind}.${Date.parse(since)}`,
    text: letter([
      ...news,
      ...flapping,
      list(
        'Figures',
        figures.map(([name, value]) => `${name}: ${value}`),
      ),
    ]),
  };
}

const FLAPPING =
  'it has begun and ended several times within half an hour. The next mail comes when it has been over for half an hour.';

/** `kind:thing` is the story of the kind; the figures say which thing. */
function storyOf(kind: string): Story {
  const [plain = ''] = kind.split(':');
  return STORIES[plain] ?? { ...UNKNOWN, title: `${UNKNOWN.title}: ${kind}` };
}

function opening(story: Story, since: string): readonly string[] {
  return [
    paragraph('What happened', story.what),
    paragraph('Since', moment(since)),
    paragraph('What it means for money', story.money),
    paragraph('What to do', story.todo),
  ];
}

function closing(story: Story, { since, endedAt }: Incident, lasted: string): readonly string[] {
  return [
    paragraph('What happened', `It is over. It was: ${story.title}.`),
    paragraph('When', `from ${moment(since)} to ${moment(endedAt ?? since)}, ${lasted}`),
    paragraph(
      'What it means for money',
      story.over ?? 'Nothing was lost. What was kept meanwhile is being booked now.',
    ),
    paragraph('What to do', 'Nothing.'),
  ];
}

export interface Alerts {
  readonly reason: string;
  readonly count: number;
  /** The first of them; there may be more than a mail should hold. */
  readonly eventIds: readonly string[];
  readonly since: Date;
  readonly digestMinutes: number;
}

export function alertMail({ reason, count, eventIds, since, digestMinutes }: Alerts): Mail {
  const { title, what, todo, money } = alertReason(reason);
  const more = count > eventIds.length ? [`and ${count - eventIds.length} more`] : [];
  return {
    subject: `${count} ${count === 1 ? 'event' : 'events'} ${title}`,
    thread: `alert.${reason}`,
    text: letter([
      paragraph('What happened', what),
      paragraph('Since', moment(since.toISOString())),
      paragraph(
        'What it means for money',
        money ?? 'Nothing is lost: what came is kept, and no balance was changed by it.',
      ),
      paragraph('What to do', todo),
      list(`Events (${count})`, [...eventIds, ...more]),
      paragraph('Next mail', `about this reason not before ${digestMinutes} minutes from now.`),
    ]),
  };
}

function letter(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`;
}

function list(head: string, items: readonly string[]): string {
  return [`${head}:`, ...items.map((item) => `  ${item}`)].join('\n');
}

const LINE_LENGTH = 76;

/** Short lines need no encoding, so that a raw message reads as it was written. */
function paragraph(head: string, text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of `${head}: ${text}`.split(' ')) {
    if (line !== '' && `${line} ${word}`.length > LINE_LENGTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

/** 2026-11-22 03:00:01 UTC */
function moment(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** 3 h 5 min 20 s */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return shown.length === 0 ? 'less than a second' : shown.join(' ');
}
