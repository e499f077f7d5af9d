import { setTimeout as delay } from 'node:timers/promises';
import { send, type Sent } from '../send.ts';

/** One notification of the bank: the bytes and the headers, made and signed by a dialect. */
export interface Notification {
  readonly qrcId: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What became of it, try by try: the status of the answer, or 0 when there was none. */
export interface Delivery extends Notification {
  readonly statuses: number[];
}

export interface Deliveries {
  /** Sends once and tells the status. */
  readonly sendOnce: (url: string, notification: Notification) => Promise<number>;
  /** Sends in the background, again after each pause, until it is answered 200. */
  readonly send: (url: string, notification: Notification, delaysMs: readonly number[]) => void;
  readonly all: () => readonly Delivery[];
  /** Forgets all, and stops those under way. */
  readonly reset: () => void;
  /** Resolves when nothing is under way. */
  readonly settled: () => Promise<unknown>;
}

/** What a bank takes for an acknowledgement; any other answer has it repeat. */
export type IsAcknowledged = (sent: Sent) => boolean;

export function createDeliveries(
  isAcknowledged: IsAcknowledged = ({ status }) => status === 200,
): Deliveries {
  let records: Delivery[] = [];
  let stopping = new AbortController();
  const running = new Set<Promise<void>>();

  async function post(url: string, notification: Notification, stop: AbortSignal): Promise<Sent> {
    const { body, headers } = notification;
    return await send(url, body, headers, stop);
  }

  function record(notification: Notification): Delivery {
    const delivery = { ...notification, statuses: [] };
    records.push(delivery);
    return delivery;
  }

  async function deliver(
    url: string,
    delivery: Delivery,
    delaysMs: readonly number[],
  ): Promise<void> {
    const { signal } = stopping;
    for (const pauseMs of [0, ...delaysMs]) {
      await delay(pauseMs, undefined, { signal });
      const sent = await post(url, delivery, signal);
      delivery.statuses.push(sent.status);
      if (isAcknowledged(sent) || signal.aborted) return;
    }
  }

  return {
    async sendOnce(url, notification) {
      const delivery = record(notification);
      const { status } = await post(url, delivery, stopping.signal);
      delivery.statuses.push(status);
      return status;
    },
    send(url, notification, delaysMs) {
      const task = deliver(url, record(notification), delaysMs).catch(() => undefined);
      running.add(task);
      void task.finally(() => running.delete(task));
    },
    all: () => records,
    reset() {
      stopping.abort();
      stopping = new AbortController();
      records = [];
    },
    settled: () => Promise.all(running),
  };
}
