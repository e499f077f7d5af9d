import type { IncidentReport } from '@kopeck/runtime/incidents';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import { dueMessage, ended, isForgotten, notTold, opened, told } from './incident.ts';
import type { Incident, Message, Patience } from './incident.ts';
import type { Send } from './mailer.ts';
import type { Memory } from './memory.ts';
import { incidentMail } from './templates.ts';

/** Which incidents there are. Both calls may be repeated as often as one likes. */
export interface Book {
  readonly open: (
    key: string,
    news: Pick<Incident, 'service' | 'kind' | 'detail' | 'since'>,
  ) => void;
  readonly close: (key: string, at: string) => void;
  readonly report: (news: IncidentReport) => void;
  /** Sends what is owed now, one mail after the other. Never throws. */
  readonly tell: () => Promise<void>;
}

export interface BookOptions {
  readonly memory: Memory<Incident>;
  readonly send: Send;
  readonly patience: Patience;
  /** Whether there have been too many mails already: what is owed then stays owed. */
  readonly isMuted: () => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => Date;
}

export function createBook(options: BookOptions): Book {
  const { memory, log, metrics, now } = options;

  const open: Book['open'] = (key, news) => {
    const known = memory.get(key);
    if (known !== undefined && known.endedAt === null) return;
    log.warn('incident opened', { ...news });
    metrics.gauge('kopeck_incident_open', 1, { kind: news.kind });
    memory.set(key, opened(known, news));
  };

  const close: Book['close'] = (key, at) => {
    const known = memory.get(key);
    if (known === undefined || known.endedAt !== null) return;
    log.info('incident over', { service: known.service, kind: known.kind, since: known.since, at });
    metrics.gauge('kopeck_incident_open', 0, { kind: known.kind });
    memory.set(key, ended(known, at));
  };

  const report: Book['report'] = ({ service, instance, kind, state, at, detail }) => {
    // What is said of one thing (`kind:thing`) is true whichever copy sees it, and any may see its end.
    const key = kind.includes(':') ? `${service}:${kind}` : `${service}:${kind}:${instance}`;
    if (state === 'open') open(key, { service, kind, detail, since: at });
    else close(key, at);
  };

  async function tell(): Promise<void> {
    for (const [key, incident] of memory.entries()) {
      if (isForgotten(incident, now())) memory.delete(key);
      const message = dueMessage(incident, now(), options.patience);
      if (message !== null && !options.isMuted()) await tellOne(options, key, message);
    }
  }

  return { open, close, report, tell };
}

async function tellOne(options: BookOptions, key: string, message: Message): Promise<void> {
  const { memory, patience, now } = options;
  const before = memory.get(key);
  if (before === undefined) return;
  const isSent = await attempt(options, before, message);

  // It may have ended, or begun again, while the mail was on its way.
  const incident = memory.get(key) ?? before;
  memory.set(key, isSent ? told(incident, message, now()) : notTold(incident, now(), patience));
}

async function attempt(
  { send, log, metrics, now }: BookOptions,
  incident: Incident,
  message: Message,
): Promise<boolean> {
  const labels = { kind: incident.kind, message };
  try {
    await send(incidentMail(incident, message, now()));
    metrics.count('kopeck_mails_total', { ...labels, result: 'sent' });
    return true;
  } catch (error) {
    metrics.count('kopeck_mails_total', { ...labels, result: 'failed' });
    log.error('mail failed', { ...labels, error });
    return false;
  }
}
