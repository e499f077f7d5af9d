import type { Context } from '../commands/command.ts';
import { exchange } from '../http.ts';

const WITHIN_MS = 5_000;

/** One line of a service's metrics. */
export interface Figure {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a service counts, since it started. Throws when it cannot be asked. */
export async function figuresOf({ value }: Context, service: string): Promise<readonly Figure[]> {
  const url = `${value(`${service.toUpperCase()}_METRICS_URL`)}/metrics`;
  const { status, body } = await exchange({ method: 'GET', url }, WITHIN_MS);
  if (status !== 200) throw Object.assign(new Error('no metrics'), { code: `HTTP ${status}` });
  return String(body)
    .split('\n')
    .flatMap((line) => figureOf(line) ?? []);
}

/** The sum of all figures of a name whose labels are these. */
export function sumOf(
  figures: readonly Figure[],
  name: string,
  wanted: Readonly<Record<string, string>> = {},
): number {
  const matching = figures.filter(
    (figure) =>
      figure.name === name &&
      Object.entries(wanted).every(([label, value]) => figure.labels[label] === value),
  );
  return matching.reduce((sum, { value }) => sum + value, 0);
}

const LINE = /^([a-z_]+)(?:\{(.*)\})? (-?[\d.e+-]+)$/;
const LABEL = /([a-z_]+)="([^"]*)"/g;

function figureOf(line: string): Figure | null {
  const [, name, labels = '', value] = LINE.exec(line) ?? [];
  if (name === undefined) return null;
  const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [label, text]);
  return {
    name,
    labels: Object.fromEntries(pairs) as Record<string, string>,
    value: Number(value),
  };
}
