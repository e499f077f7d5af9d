import { appendFileSync } from 'node:fs';

/** One figure of a benchmark, beside what the same run measured to hold it against. */
export interface Measurement {
  readonly bench: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Other figures of the same measurement, by name, with their unit in the name: 'p99 ms'. */
  readonly more?: Readonly<Record<string, number>>;
  readonly baseline?: { readonly what: string; readonly value: number };
}

/** Prints a figure, and keeps it for `npm run bench` if that is what runs this benchmark. */
export function record(measurement: Measurement): void {
  console.log(`${measurement.what}: ${figureOf(measurement)}${beside(measurement)}`);
  const file = process.env['BENCH_RESULTS'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(measurement)}\n`);
}

/** '2,820 requests/s (p50 10.1 ms, p99 35 ms)' */
export function figureOf({ value, unit, more = {} }: Measurement): string {
  const others = Object.entries(more).map(([name, other]) => {
    const [label, ...units] = name.split(' ');
    return [label, shown(other), ...units].join(' ');
  });
  const rest = others.length === 0 ? '' : ` (${others.join(', ')})`;
  return `${shown(value)} ${unit}${rest}`;
}

export function baselineOf({ baseline }: Measurement): string {
  return baseline === undefined ? '' : `${baseline.what}: ${shown(baseline.value)}`;
}

export function ratioOf({ value, baseline }: Measurement): string {
  return baseline === undefined ? '' : (value / baseline.value).toFixed(2);
}

function beside(measurement: Measurement): string {
  const baseline = baselineOf(measurement);
  return baseline === '' ? '' : `; ${baseline}; ratio ${ratioOf(measurement)}`;
}

/** Three digits are all that a benchmark knows. */
function shown(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
