import { createHash } from 'node:crypto';

/** What somebody outside knows of an event. */
export interface Known {
  /** Computed here, by the design's rule and not by the code under test. */
  readonly id: string;
  /** What the inbox must say of it: '4.5 USDT', '10 RUB for chaos-3', or 'quarantined'. */
  readonly content: string;
}

/** What those outside know at the end. */
export interface Truth {
  /** Everything that may be in the books, by id. */
  readonly events: ReadonlyMap<string, Pick<Known, 'content'>>;
  /** What must be there: what was paid, and what Kopeck has said that it keeps. */
  readonly accepted: ReadonlySet<string>;
}

/** The design, section 2: the readable parts, and forty hex digits of the hash of the identity. */
export function idOf(source: string, type: string, parts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return `${source}.${type}.${hash.slice(0, 40)}`;
}

/** Of what has an order of this run's, the order too. */
export function contentOf(money: string, about: string | null | undefined): string {
  return /^(?:kp_|chaos-)/.test(about ?? '') ? `${money} for ${about}` : money;
}

/** All of them are right. */
export function together(...truths: readonly Truth[]): Truth {
  return {
    events: new Map(truths.flatMap(({ events }) => [...events])),
    accepted: new Set(truths.flatMap(({ accepted }) => [...accepted])),
  };
}
