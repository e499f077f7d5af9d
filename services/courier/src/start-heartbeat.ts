import { openDatabase } from '@kopeck/runtime/database';
import { withDeadline } from '@kopeck/runtime/shutdown';
import { createHeartbeat } from './heartbeat.ts';
import { addLoop, type Parts } from './parts.ts';

const MINUTE_MS = 60_000;
const LOOK_MS = 1_000;
const CLOSE_WITHIN_MS = 2_000;

/** Whoever waits for our pings hears nothing as long as no event comes the whole way, whatever the cause. */
export function startHeartbeat(parts: Parts): void {
  const { config, closing } = parts;
  const { HEARTBEAT_URL: url, HEARTBEAT_MINUTES: minutes } = config;
  if (url === undefined || minutes === 0) return;
  const pool = openDatabase(config.DATABASE_URL, { connections: 1 });
  closing.add('heartbeats', () => withDeadline(pool.end(), CLOSE_WITHIN_MS));
  const look = createHeartbeat({ ...parts, pool, url, youngMs: minutes * MINUTE_MS });
  addLoop(parts, 'heartbeat', parts.lookEveryMs ?? LOOK_MS, look);
}
