import type { Router } from 'express';

/** What a double may ask of the sandbox around it. */
export interface SandboxContext {
  readonly now: () => Date;
  /** `http://127.0.0.1:9100`, as the sandbox itself is reached. Known once it listens. */
  readonly origin: () => string;
}

/** One partner, played over HTTP. Its state lives in memory and is gone with the process. */
export interface Double {
  /** 'acquirer': names its knobs, at /__sandbox/<name>. */
  readonly name: string;
  /** '/raiffeisen': where the partner's own paths begin. */
  readonly prefix: string;
  /** The partner's API. It reads its own bodies: partners differ in that. */
  readonly router: Router;
  /** Knobs and recordings for tests and people; JSON bodies are read already. */
  readonly controls: Router;
  /** Back to how it was opened: no records, no knobs turned. */
  readonly reset: () => void;
  /** Stops what the double does by itself (timers, deliveries under way). */
  readonly close: () => Promise<void>;
}

/** Each double's folder exports one of these, made from its own options. */
export type OpenDouble = (context: SandboxContext) => Double;
