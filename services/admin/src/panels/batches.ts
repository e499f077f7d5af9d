import { GivenUp, PanelError, type PanelRef, type PanelSnapshot, type VpnPanel } from './port.ts';

/** Subscribers in one request: their names go into its address. */
const MOST = 50;
/** A request is one for many, none of whose deadlines is its own; the panel's time begins when it is sent. */
const WITHIN_MS = 20_000;

interface Waiting {
  readonly ref: PanelRef;
  readonly give: (snapshot: PanelSnapshot) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Fetches of a panel that takes many subscribers in one request: whoever comes while a request is under
 * way goes into the next one, together with all others. A panel that does not stays as it is.
 */
export function inBatches(panel: VpnPanel): VpnPanel {
  const { fetchMany } = panel;
  if (fetchMany === undefined) return panel;
  const waiting = new Set<Waiting>();
  let isUnderWay = false;

  async function run(): Promise<void> {
    isUnderWay = true;
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, MOST);
      for (const each of batch) waiting.delete(each);
      await answer(batch);
    }
    isUnderWay = false;
  }

  async function answer(batch: readonly Waiting[]): Promise<void> {
    try {
      const refs = batch.map(({ ref }) => ref);
      const found = await fetchMany?.(refs, AbortSignal.timeout(WITHIN_MS));
      for (const { ref, give, fail } of batch) {
        const result = found?.get(ref.externalId) ?? new PanelError('not_found');
        if (result instanceof PanelError) fail(result);
        else give(result);
      }
    } catch (error) {
      for (const { fail } of batch) fail(error);
    }
  }

  return {
    ...panel,
    fetch: (ref, signal) =>
      new Promise((give, fail) => {
        const one = { ref, give, fail };
        const leave = (): void => {
          const isAsked = !waiting.delete(one);
          fail(new GivenUp(isAsked ? 'timeout' : 'rate_limited'));
        };
        if (signal.aborted) return leave();
        signal.addEventListener('abort', leave, { once: true });
        waiting.add(one);
        if (!isUnderWay) void run();
      }),
  };
}
