import type { Router } from 'express';
import type { Double, OpenDouble } from '../double.ts';
import { controlsOf } from './controls.ts';
import {
  createDeliveries,
  type IsAcknowledged,
  type Notification,
  type Plan,
} from './deliveries.ts';
import { createEngine, type Attempt, type Engine, type Qr } from './engine.ts';
import { keepCodes, KEEPS_NOTHING } from './kept-codes.ts';
import { DEFAULT_KNOBS, type Knobs } from './knobs.ts';
import type { Distortion } from './notification.ts';

/** What a dialect's paths are made from. */
export interface Bank {
  readonly engine: Engine;
  readonly knobs: { current: Knobs };
  readonly origin: () => string;
  /** Tells the merchant how this code stands. */
  readonly notify: (qr: Qr) => void;
  /** Sends to this address now, and tells the status of the answer. */
  readonly probe: (url: string, notification: Notification) => Promise<number>;
}

export interface Told {
  readonly qr: Qr;
  /** The last attempt to pay; undefined: there was none. */
  readonly attempt: Attempt | undefined;
  readonly knobs: Knobs;
  readonly engine: Engine;
}

/** One acquirer's way to speak; what is done is the engine's. */
export interface Dialect {
  readonly name: string;
  /** What Kopeck calls it; missing: the same. */
  readonly provider?: string;
  readonly prefix: string;
  /** The bank's own id of a code's payment; missing: the code's. */
  readonly paymentIdOf?: (qr: Qr) => string;
  readonly router: (bank: Bank) => Router;
  /** What is sent of a code, all at the same time. */
  readonly notifications: (told: Told, distortion: Distortion) => readonly Notification[];
  /** Missing: any 200. */
  readonly isAcknowledged?: IsAcknowledged;
  /** How long this bank waits before each repetition of what was not acknowledged. */
  readonly pausesMs: readonly number[];
}

export interface DialectOptions {
  /** Where notifications go until a knob says otherwise; null: nowhere. */
  readonly callbackUrl: string | null;
  /** Codes survive a restart in it. Without one they live in memory. */
  readonly codesFile?: string;
}

export function openDialect(
  dialect: Dialect,
  { callbackUrl, codesFile }: DialectOptions,
): OpenDouble {
  return ({ now, origin }): Double => {
    const initial: Knobs = { ...DEFAULT_KNOBS, callbackUrl };
    const knobs = { current: initial };
    const kept = codesFile === undefined ? KEEPS_NOTHING : keepCodes(codesFile);
    const engine = createEngine(now, kept);
    const deliveries = createDeliveries(engine.now, dialect.isAcknowledged);

    function notificationsOf(qr: Qr, distortion: Distortion = {}): readonly Notification[] {
      const told = { qr, attempt: qr.attempts.at(-1), knobs: knobs.current, engine };
      return dialect.notifications(told, distortion);
    }

    function notify(qr: Qr): void {
      const { callbackUrl: url, callbacks, copies } = knobs.current;
      const plan = planOf(knobs.current, dialect);
      if (url === null || callbacks === 'drop') return;
      for (const notification of notificationsOf(qr)) {
        for (let copy = 0; copy < copies; copy += 1) deliveries.send(url, notification, plan);
      }
    }

    const bank: Bank = { engine, knobs, origin, notify, probe: deliveries.sendOnce };
    return {
      name: dialect.name,
      prefix: dialect.prefix,
      router: dialect.router(bank),
      controls: controlsOf({ bank, deliveries, notificationsOf, dialect }),
      reset() {
        knobs.current = initial;
        engine.reset();
        deliveries.reset();
      },
      async close() {
        deliveries.reset();
        await deliveries.settled();
      },
    };
  };
}

function planOf({ delayMs, retries, retryDelaysMs }: Knobs, { pausesMs }: Dialect): Plan {
  const isBank = retries === 'bank';
  const clock = isBank || delayMs > 0 ? 'sandbox' : 'machine';
  return { delayMs, pausesMs: isBank ? pausesMs : retryDelaysMs, clock };
}

/** The knobs as they are for this code: what its payer did may not show to the merchant yet. */
export function knobsFor(qr: Qr, { engine, knobs: { current } }: Bank): Knobs {
  const last = qr.attempts.at(-1);
  const ageMs = last === undefined ? Infinity : engine.now().getTime() - last.at.getTime();
  return { ...current, holdStatus: current.holdStatus || ageMs < current.showAfterMs };
}

/** There is a payment, which does not show yet but as one that is under way. Of the knobs for this code. */
export function isUnderWay({ attempts }: Qr, { holdStatus, shownAs }: Knobs): boolean {
  return holdStatus && shownAs === 'under-way' && attempts.length > 0;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Ever longer, for a day. */
export const GROWING_FOR_A_DAY: readonly number[] = [
  ...[1, 5, 10, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 4, 8, 8].map((hours) => hours * HOUR_MS),
];
