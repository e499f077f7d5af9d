import {
  PanelError,
  type PanelErrorKind,
  type PanelRef,
  type Panels,
  type PanelSnapshot,
} from './panels/port.ts';

export interface Deadlines {
  /** What a panel has for one answer, from when it was asked: the wait for a turn there is ours. */
  readonly answerMs: number;
  /** For one purchase, all its servers and all waits together. */
  readonly purchaseMs: number;
}

/** Each shorter than its caller's: the caller of a refresh waits 25 s at least. */
export const DEADLINES: Deadlines = { answerMs: 8_000, purchaseMs: 20_000 };

const SERVERS_AT_ONCE = 3;

export interface Fetched {
  readonly serverId: string;
  readonly ms: number;
  readonly answer: PanelSnapshot | PanelErrorKind;
}

export interface FetchOptions {
  readonly panels: Panels;
  readonly deadlines: Deadlines;
  readonly now: () => Date;
}

/** Asks all servers of a purchase, each of which has its own limits; what a panel does wrong becomes a word, and never an exception. */
export async function fetchAll(
  refs: readonly PanelRef[],
  { panels, deadlines, now }: FetchOptions,
): Promise<readonly Fetched[]> {
  const signal = AbortSignal.timeout(deadlines.purchaseMs);
  const fetched: Fetched[] = [];
  const waiting = refs.entries();

  async function work(): Promise<void> {
    for (const [index, ref] of waiting) {
      const startedAt = now().getTime();
      const answer = await fetchOne(panels, ref, signal);
      fetched[index] = { serverId: ref.serverId, ms: now().getTime() - startedAt, answer };
    }
  }

  await Promise.all(Array.from({ length: SERVERS_AT_ONCE }, work));
  return fetched;
}

async function fetchOne(
  panels: Panels,
  ref: PanelRef,
  signal: AbortSignal,
): Promise<PanelSnapshot | PanelErrorKind> {
  const panel = panels.get(ref.serverId);
  if (panel === undefined) return 'not_configured';
  try {
    return await panel.fetch(ref, signal);
  } catch (error) {
    if (error instanceof PanelError) return error.kind;
    throw error;
  }
}
