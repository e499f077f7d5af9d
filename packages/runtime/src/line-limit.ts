/** Null: this line is one too many. Else what is to be added to it: how many were left out before it. */
export type LineLimit = () => { readonly unlogged?: number } | null;

const LINES_PER_MINUTE = 20;
const MINUTE_MS = 60_000;

/**
 * For lines that a stranger can cause: whoever sends a thousand forged requests a second must fill
 * neither the log nor its disk. All of them are counted in the metrics.
 */
export function createLineLimit(now: () => Date): LineLimit {
  let minute = 0;
  let asked = 0;
  let unlogged = 0;
  return () => {
    const current = Math.floor(now().getTime() / MINUTE_MS);
    if (current !== minute) {
      minute = current;
      asked = 0;
    }
    asked += 1;
    if (asked > LINES_PER_MINUTE) {
      unlogged += 1;
      return null;
    }
    const more = unlogged === 0 ? {} : { unlogged };
    unlogged = 0;
    return more;
  };
}
