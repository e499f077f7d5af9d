/** Wakes a loop that has nothing to do. */
export interface Bell {
  /** Ends the wait, or the next one if nobody waits. */
  readonly ring: () => void;
  /** Whether it has rung since this was asked, or since the last wait. */
  readonly hasRung: () => boolean;
  /** Until it rings, but not for ever: the world must be looked at now and then. */
  readonly wait: () => Promise<void>;
}

export function createBell(waitMs: number): Bell {
  let rang = false;
  let wake: () => void = () => undefined;
  return {
    ring() {
      rang = true;
      wake();
    },
    hasRung() {
      const answer = rang;
      rang = false;
      return answer;
    },
    async wait() {
      if (!rang) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, waitMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      rang = false;
    },
  };
}
