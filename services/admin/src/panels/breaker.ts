import { GivenUp, PanelError, type PanelErrorKind, type VpnPanel } from './port.ts';

const FAILURES = 5;
const OPEN_MS = 60_000;
const COUNTED: readonly PanelErrorKind[] = ['connection', 'timeout'];

/**
 * After five unreachable answers in a row the server is left alone for a minute, and a refresh on it
 * fails at once; then one request may try.
 */
export function withBreaker(panel: VpnPanel, now: () => Date): VpnPanel {
  let failures = 0;
  let openUntil = 0;
  let isTrying = false;

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    const isOpen = failures >= FAILURES;
    if (isOpen && (isTrying || now().getTime() < openUntil)) throw new PanelError('connection');
    isTrying = isOpen;
    try {
      const result = await work();
      failures = 0;
      return result;
    } catch (error) {
      if (error instanceof GivenUp) throw error;
      const isCounted = error instanceof PanelError && COUNTED.includes(error.kind);
      failures = isCounted ? failures + 1 : 0;
      if (failures >= FAILURES) openUntil = now().getTime() + OPEN_MS;
      throw error;
    } finally {
      if (isOpen) isTrying = false;
    }
  }

  const { fetchMany, reissue } = panel;
  return {
    ...panel,
    fetch: (ref, signal) => guarded(() => panel.fetch(ref, signal)),
    ...(fetchMany !== undefined && {
      fetchMany: (refs, signal) => guarded(() => fetchMany(refs, signal)),
    }),
    ...(reissue !== undefined && { reissue: (ref, signal) => guarded(() => reissue(ref, signal)) }),
  };
}
