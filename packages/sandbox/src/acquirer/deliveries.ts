import { setTimeout as delay } from 'node:timers/promises';
import { send, type Sent } from '../send.ts';
import { createClockedTries } from './clocked-tries.ts';

/** One notification of the bank: the bytes and the headers, made and signed by a dialect. */
export interface Notification {
  readonly qrcId: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What became of it, try by try: when it was made, and the status of the answer, or 0 for none. */
export interface Delivery extends Notification {
  readonly statuses: number[];
  /** By the sandbox's clock. */
  readonly triedAt: Date[];
}

/** When a notification is sent, and again after each pause until it is acknowledged. */
export interface Plan {
  readonly delayMs: number;
  readonly pausesMs: readonly number[];
  /** 'sandbox': pauses pass when the sandbox's clock is moved, so a month is no time. */
  readonly clock: 'machine' | 'sandbox';
}

export interface Deliveries {
  /** Sends once and tells the status. */
  readonly sendOnce: (url: string, notification: Notification) => Promise<number>;
  /** Sends in the background. */
  readonly send: (url: string, notification: Notification, plan: Plan) => void;
  /** Makes the tries that have become due by the sandbox's clock, one after the other. */
  readonly catchUp: () => Promise<void>;
  readonly all: () => readonly Delivery[];
  /** Forgets all, and stops those under way. */
  readonly reset: () => void;
  /** Resolves when nothing is under way. */
  readonly settled: () => Promise<unknown>;
}

/** What a bank takes for an acknowledgement; any other answer has it repeat. */
export type IsAcknowledged = (sent: Sent) => boolean;

export function createDeliveries(
  now: () => Date,
  isAcknowledged: IsAcknowledged = ({ status }) => status === 200,
): Deliveries {
  let records: Delivery[] = [];
  let stopping = new AbortController();
  const background = createBackground();
  const clocked = createClockedTries(now, tryOnce);

  function record(notification: Notification): Delivery {
    const delivery = { ...notification, statuses: [], triedAt: [] };
    records.push(delivery);
    return delivery;
  }

  /** True: the bank is content, or told to stop. */
  async function tryOnce(url: string, delivery: Delivery, at: Date): Promise<boolean> {
    const { signal } = stopping;
    delivery.triedAt.push(at);
    const sent = await send(url, delivery.body, delivery.headers, signal);
    delivery.statuses.push(sent.status);
    return isAcknowledged(sent) || signal.aborted;
  }

  async function byMachine(url: string, delivery: Delivery, plan: Plan): Promise<void> {
    const { signal } = stopping;
    for (const pauseMs of [plan.delayMs, ...plan.pausesMs]) {
      await delay(pauseMs, undefined, { signal });
      if (await tryOnce(url, delivery, now())) return;
    }
  }

  return {
    async sendOnce(url, notification) {
      const delivery = record(notification);
      await tryOnce(url, delivery, now());
      return delivery.statuses.at(-1) ?? 0;
    },
    send(url, notification, plan) {
      const delivery = record(notification);
      if (plan.clock === 'machine') return background.run(byMachine(url, delivery, plan));
      clocked.add(url, delivery, plan);
      background.run(clocked.catchUp());
    },
    catchUp: clocked.catchUp,
    all: () => records,
    reset() {
      stopping.abort();
      stopping = new AbortController();
      records = [];
      clocked.reset();
    },
    settled: () => background.settled(),
  };
}

interface Background {
  /** Whatever becomes of it: nobody waits for its result. */
  readonly run: (task: Promise<void>) => void;
  readonly settled: () => Promise<unknown>;
}

function createBackground(): Background {
  const running = new Set<Promise<void>>();
  return {
    run(task) {
      const quiet = task.catch(() => undefined);
      running.add(quiet);
      void quiet.finally(() => running.delete(quiet));
    },
    settled: () => Promise.all(running),
  };
}
