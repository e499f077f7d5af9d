import type { Log } from '@kopeck/runtime/log';
import type { Mail, Send } from './mailer.ts';
import type { Memory } from './memory.ts';

export interface CapOptions {
  readonly send: Send;
  /** When mails went out, ISO 8601, by a number of their own. */
  readonly memory: Memory<string>;
  readonly perHour: number;
  readonly perDay: number;
  readonly log: Log;
  readonly now: () => Date;
}

export interface Cap {
  readonly send: Send;
  /** No more for now: what is owed stays owed, and goes when the hour or the day is over. */
  readonly isMuted: () => boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A mailbox that is flooded is not read: the last mail before the silence says that there will be one. */
export function createCap({ send, memory, perHour, perDay, log, now }: CapOptions): Cap {
  let number = 0;
  const sentWithin = (ms: number): number =>
    memory.entries().filter(([, at]) => now().getTime() - Date.parse(at) < ms).length;
  const isMuted = (): boolean => sentWithin(HOUR_MS) >= perHour || sentWithin(DAY_MS) >= perDay;

  function remember(): void {
    for (const [key, at] of memory.entries()) {
      if (now().getTime() - Date.parse(at) >= DAY_MS) memory.delete(key);
    }
    number += 1;
    memory.set(`${now().getTime()}-${number}`, now().toISOString());
  }

  /** The mail before it has been taken, whatever becomes of this one. */
  async function sayMuted(): Promise<void> {
    try {
      await send(mutedMail(perHour, perDay));
    } catch (error) {
      log.error('mail failed', { message: 'muted', error });
    }
  }

  return {
    isMuted,
    async send(mail) {
      await send(mail);
      remember();
      if (isMuted()) await sayMuted();
    },
  };
}

function mutedMail(perHour: number, perDay: number): Mail {
  return {
    subject: 'MUTED: too many mails',
    thread: 'muted',
    text: `There have been ${perHour} mails within an hour or ${perDay} within a day (ALERTS_PER_HOUR,\nALERTS_PER_DAY). The next one comes when that is over; nothing of what it\nwould have told is lost. Meanwhile: kopeck status, kopeck doctor.\n`,
  };
}
