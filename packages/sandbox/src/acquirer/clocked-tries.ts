import type { Delivery, Plan } from './deliveries.ts';

/** Notifications whose tries wait for the sandbox's clock. */
export interface ClockedTries {
  readonly add: (url: string, delivery: Delivery, plan: Plan) => void;
  /** Makes all that is due by now, the earliest first, one after the other. */
  readonly catchUp: () => Promise<void>;
  readonly reset: () => void;
}

/** True: the bank is content. `at` is when the try was due. */
type TryOnce = (url: string, delivery: Delivery, at: Date) => Promise<boolean>;

interface Due {
  readonly url: string;
  readonly delivery: Delivery;
  readonly pausesMs: readonly number[];
  readonly at: number;
}

export function createClockedTries(now: () => Date, tryOnce: TryOnce): ClockedTries {
  let waiting: Due[] = [];
  let catchingUp: Promise<void> = Promise.resolve();

  async function makeTries(): Promise<void> {
    for (let due = takeDue(); due !== undefined; due = takeDue()) {
      const { url, delivery, at } = due;
      if (await tryOnce(url, delivery, new Date(at))) continue;
      const [pauseMs, ...pausesMs] = due.pausesMs;
      if (pauseMs !== undefined) waiting.push({ url, delivery, pausesMs, at: at + pauseMs });
    }
  }

  function takeDue(): Due | undefined {
    const [first] = waiting.toSorted((a, b) => a.at - b.at);
    if (first === undefined || first.at > now().getTime()) return undefined;
    waiting = waiting.filter((other) => other !== first);
    return first;
  }

  return {
    add(url, delivery, { delayMs, pausesMs }) {
      waiting.push({ url, delivery, pausesMs, at: now().getTime() + delayMs });
    },
    catchUp: () => (catchingUp = catchingUp.then(makeTries)),
    reset: () => void (waiting = []),
  };
}
