import type { Context } from '../commands/command.ts';

/** What a check has seen. `what` and `cure` are words of ours, for people, and never hold a secret. */
export type Finding =
  | { readonly severity: 'ok'; readonly what: string }
  | {
      /** An error costs money or messages now; a warning may, one day. */
      readonly severity: 'warn' | 'error';
      readonly what: string;
      /** What to do about it, in one sentence. */
      readonly cure: string;
    };

export type Severity = Finding['severity'];

/** One thing that can be wrong with an installation, and how that is seen. */
export interface Check {
  readonly name: string;
  /**
   * May throw: what is then told is that this could not be examined. A check of what is not configured
   * finds nothing: an empty list.
   */
  readonly run: (context: Context) => Promise<readonly Finding[]>;
}

export function ok(what: string): Finding {
  return { severity: 'ok', what };
}

export function warn(what: string, cure: string): Finding {
  return { severity: 'warn', what, cure };
}

export function error(what: string, cure: string): Finding {
  return { severity: 'error', what, cure };
}
