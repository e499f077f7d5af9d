import type { NewRow } from './journal-writer.ts';

/** What an fsync takes on a slow disk: no answer is held up by more. */
const GATHER_MS = 10;

export interface BatchesOptions {
  /** In one transaction, with one fsync. True for each row that was not there before. */
  readonly write: (rows: readonly NewRow[]) => Promise<readonly boolean[]>;
  /** So many rows wait for no others. */
  readonly enough: number;
}

interface Waiting {
  readonly row: NewRow;
  readonly resolve: (isNew: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Rows that come close together are written as one batch, and one batch at a time: as long as each turn
 * of the event loop brings more of them the batch waits, but not for long. A row that comes alone is
 * written in the next turn. Rejects with what `write` throws, for each row of the batch.
 */
export function createBatches({
  write,
  enough,
}: BatchesOptions): (row: NewRow) => Promise<boolean> {
  let batch: Waiting[] = [];
  let begunAt = 0;
  let isWriting = false;

  function begin(): void {
    begunAt = performance.now();
    setImmediate(gather, 0);
  }

  function gather(size: number): void {
    const isLate = performance.now() - begunAt >= GATHER_MS;
    if (batch.length === size || batch.length >= enough || isLate) void flush();
    else setImmediate(gather, batch.length);
  }

  async function flush(): Promise<void> {
    const taken = batch;
    batch = [];
    isWriting = true;
    try {
      const results = await write(taken.map(({ row }) => row));
      taken.forEach(({ resolve }, index) => resolve(results[index] === true));
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
    isWriting = false;
    if (batch.length > 0) begin();
  }

  return (row) =>
    new Promise((resolve, reject) => {
      if (batch.push({ row, resolve, reject }) === 1 && !isWriting) begin();
    });
}
