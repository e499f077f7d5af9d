/** Throws while it is away; must end by itself within a second or two. */
export type Probe = () => Promise<void>;

export interface WatchOptions {
  readonly probe: Probe;
  readonly graceMs: number;
  readonly now: () => Date;
  /** Said after every look at something that has been away for the grace period. */
  readonly isDown: (since: Date, code: string) => void;
  /** Said after every look at something that has been there for the grace period. */
  readonly isUp: (since: Date) => void;
}

/**
 * One look at a time. A blip shorter than the grace period is not worth a mail, in neither direction;
 * the news carries the moment when it began all the same.
 */
export function createWatch({
  probe,
  graceMs,
  now,
  isDown,
  isUp,
}: WatchOptions): () => Promise<void> {
  let since: Date | null = null;
  let wasUp: boolean | null = null;

  return async () => {
    const failure = await codeOfFailure(probe);
    const at = now();
    if (wasUp !== (failure === null) || since === null) since = at;
    wasUp = failure === null;
    if (at.getTime() - since.getTime() < graceMs) return;
    if (failure === null) isUp(since);
    else isDown(since, failure);
  };
}

/** The code alone goes into mail: a message may name hosts and users. */
async function codeOfFailure(probe: Probe): Promise<string | null> {
  try {
    await probe();
    return null;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
  }
}
