import { setTimeout as delay } from 'node:timers/promises';
import type { Rig } from '../rig/rig.ts';
import { nextEvents, type PartnerEvent } from './partner-events.ts';
import type { Random } from './random.ts';
import type { Truth } from './truth.ts';

/** What the partners know at the end. */
export interface Told extends Truth {
  readonly tellings: number;
  /** Answers that no partner should ever get: '500 to telegram.payment.paid.…'. */
  readonly strange: readonly string[];
}

export interface SendersOptions {
  readonly rig: Rig;
  readonly random: Random;
  /** No more events after this many. */
  readonly events: number;
  /** How many tell at the same time, default 16. */
  readonly lanes?: number;
  /** Nor when this says so; what has been begun is told to its end. */
  readonly signal: AbortSignal;
}

const LANES = 16;
/** So many tellings wait to be picked at random: that shuffles them. */
const SHUFFLED = 400;
const PAUSE_MS = 20;
const STRANGE_KEPT = 20;

interface Telling {
  readonly event: PartnerEvent;
  readonly number: number;
}

/** Partners that tell what happened: each thing 1 to 20 times, shuffled, at the same time. */
export async function tellAll(options: SendersOptions): Promise<Told> {
  const { rig, random, events, lanes = LANES, signal } = options;
  const known = new Map<string, PartnerEvent>();
  const accepted = new Set<string>();
  const strange: string[] = [];
  const waiting: Telling[] = [];
  let tellings = 0;
  let number = 0;

  function refill(): void {
    while (waiting.length < SHUFFLED && known.size < events && !signal.aborted) {
      number += 1;
      for (const event of nextEvents(random, number)) {
        known.set(event.id, event);
        const times = timesOf(random);
        for (let each = 1; each <= times; each += 1) waiting.push({ event, number: each });
      }
    }
  }

  function next(): Telling | undefined {
    refill();
    const at = random.whole(0, waiting.length - 1);
    const picked = waiting[at];
    const last = waiting.pop();
    if (last !== undefined && at < waiting.length) waiting[at] = last;
    return picked;
  }

  async function tell(telling: Telling): Promise<void> {
    const { event } = telling;
    const answer = await event.tell(rig, telling.number).catch(() => null);
    tellings += 1;
    if (answer !== null && isKept(answer)) accepted.add(event.id);
    else if (answer !== null && answer.status !== 503 && strange.length < STRANGE_KEPT)
      strange.push(`${answer.status} to ${event.id}`);
    if (event.insists && !accepted.has(event.id)) waiting.push(telling);
  }

  async function lane(): Promise<void> {
    for (let telling = next(); telling !== undefined; telling = next()) {
      await tell(telling);
      await delay(PAUSE_MS);
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane));
  return { events: known, accepted, tellings, strange };
}

/** EPN's 503 while the ledger's database is down says that the postback is kept all the same. */
function isKept({ status, body }: { status: number; body: Readonly<Record<string, unknown>> }) {
  return status === 200 || (status === 503 && body['error'] === 'storage_unavailable');
}

/** Mostly once, sometimes a few times, now and then as often as a partner in despair. */
function timesOf(random: Random): number {
  const dice = random.part();
  if (dice < 0.5) return 1;
  return dice < 0.9 ? random.whole(2, 5) : random.whole(6, 20);
}
