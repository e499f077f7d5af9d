import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Qr } from './engine.ts';

/** Where an acquirer remembers its codes from one start to the next. */
export interface KeptCodes {
  readonly load: () => readonly Qr[];
  readonly save: (codes: readonly Qr[]) => void;
}

export const KEEPS_NOTHING: KeptCodes = { load: () => [], save: () => undefined };

/** In a file, so that an order of yesterday can be paid today. What cannot be read is forgotten. */
export function keepCodes(file: string): KeptCodes {
  return {
    load() {
      try {
        return (JSON.parse(readFileSync(file, 'utf8')) as Written[]).map(read);
      } catch {
        return [];
      }
    },
    save(codes) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.tmp`, JSON.stringify(codes.map(written)));
      renameSync(`${file}.tmp`, file);
    },
  };
}

function written(qr: Qr) {
  const refunds = qr.refunds.map((refund) => ({ ...refund, kopecks: refund.kopecks.toString() }));
  return { ...qr, kopecks: qr.kopecks.toString(), refunds };
}

/** As JSON has it: dates are texts. */
type Written = Omit<Qr, 'kopecks' | 'createdAt' | 'expiresAt' | 'attempts' | 'refunds'> & {
  readonly kopecks: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly attempts: readonly (Omit<Qr['attempts'][number], 'at'> & { readonly at: string })[];
  /** Missing in a file from before there were refunds. */
  readonly refunds?: readonly (Omit<Qr['refunds'][number], 'kopecks'> & {
    readonly kopecks: string;
  })[];
};

function read(qr: Written): Qr {
  return {
    ...qr,
    kopecks: BigInt(qr.kopecks),
    createdAt: new Date(qr.createdAt),
    expiresAt: new Date(qr.expiresAt),
    attempts: qr.attempts.map((attempt) => ({ ...attempt, at: new Date(attempt.at) })),
    refunds: (qr.refunds ?? []).map((refund) => ({ ...refund, kopecks: BigInt(refund.kopecks) })),
  };
}
