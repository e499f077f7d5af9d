import { openImpatientDatabase } from '@kopeck/runtime/impatient-database';
import { createHeartbeat } from './heartbeat.ts';
import { addLoop, type Parts } from './parts.ts';

const MINUTE_MS = 60_000;
const LOOK_MS = 1_000;
const ANSWER_WITHIN_MS = 2_000;

/** Whoever waits for our pings hears nothing as long as no event comes the whole way, whatever the cause. */
export function startHeartbeat(parts: Parts): void {
  const { config, closing } = parts;
  const { HEARTBEAT_URL: url, HEARTBEAT_MINUTES: minutes } = config;
  if (url === undefined || minutes === 0) return;
  const database = openImpatientDatabase(config.DATABASE_URL, ANSWER_WITHIN_MS);
  closing.add('heartbeats', database.close);
  const look = createHeartbeat({ ...parts, database, url, youngMs: minutes * MINUTE_MS });
  addLoop(parts, 'heartbeat', parts.lookEveryMs ?? LOOK_MS, look);
}
