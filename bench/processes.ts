import { readFileSync } from 'node:fs';

/** Linux alone tells it. */
const PSS = /^Pss:\s+(\d+) kB$/m;
const KB_PER_MB = 1_024;

/** What a process holds of the machine's memory, in MB: what several share counts once. */
export function pssMb(pid: number): number {
  const kilobytes = PSS.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc tells no PSS of process ${pid}`);
  return Number(kilobytes) / KB_PER_MB;
}

export interface Sample {
  readonly atMs: number;
  readonly mb: number;
}

/** The straight line that fits best: how many MB a process grows in an hour. */
export function growthMbPerHour(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const atMs = mean(samples.map((sample) => sample.atMs));
  const mb = mean(samples.map((sample) => sample.mb));
  const over = samples.reduce((sum, each) => sum + (each.atMs - atMs) * (each.mb - mb), 0);
  const under = samples.reduce((sum, each) => sum + (each.atMs - atMs) ** 2, 0);
  return under === 0 ? 0 : (over / under) * 3_600_000;
}
