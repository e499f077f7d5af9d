/** Lets calls to a partner through until several in a row have failed; then only one at a time, to try. */
export interface Breaker {
  /** False: not now. A call that is let through must be followed by `succeeded` or `failed`. */
  readonly mayCall: () => boolean;
  readonly succeeded: () => void;
  readonly failed: () => void;
}

export interface BreakerOptions {
  readonly now: () => Date;
  /** Told when calls stop, and when they go again; the first success counts: an earlier life may have stopped. */
  readonly changed: (isOpen: boolean) => void;
}

const FAILURES = 5;
const REST_MS = 10_000;

export function createBreaker({ now, changed }: BreakerOptions): Breaker {
  let failures = 0;
  let closedUntil = 0;
  let isKnownWell = false;

  return {
    mayCall() {
      if (failures < FAILURES) return true;
      if (now().getTime() < closedUntil) return false;
      closedUntil = now().getTime() + REST_MS;
      return true;
    },
    succeeded() {
      failures = 0;
      if (!isKnownWell) changed(false);
      isKnownWell = true;
    },
    failed() {
      failures += 1;
      if (failures < FAILURES) return;
      closedUntil = now().getTime() + REST_MS;
      if (failures === FAILURES) changed(true);
      isKnownWell = false;
    },
  };
}
