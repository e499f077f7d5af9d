import type { Log } from '@kopeck/runtime/log';

export interface Line {
  readonly level: keyof Log;
  readonly message: string;
  readonly meta: Readonly<Record<string, unknown>>;
}

/** A log that a test can look at. */
export function recordingLog(): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: keyof Log): Log['info'] =>
    (message, meta = {}) =>
      void lines.push({ level, message, meta });
  const log = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
  return { log, lines };
}
