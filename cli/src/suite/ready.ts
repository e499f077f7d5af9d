import { setTimeout as delay } from 'node:timers/promises';
import { isRecord } from '@kopeck/core/json';
import { exchange } from '../http.ts';
import type { Kept } from './keep-alive.ts';

const READY_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 50;

/** Asks until the answer is 200. Throws when the process dies instead, or takes too long. */
export async function waitUntilReady(kept: Kept, url: string, signal: AbortSignal): Promise<void> {
  await Promise.race([kept.failedToStart, poll(kept.name, url, signal)]);
  kept.started();
}

async function poll(name: string, url: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  let last = 'no answer';
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    const missing = await whatIsMissing(url);
    if (missing === null) return;
    last = missing;
    await delay(LOOK_EVERY_MS);
  }
  throw new Error(`${name} is not ready after ${READY_WITHIN_MS / 1000} s: ${last}`);
}

async function whatIsMissing(url: string): Promise<string | null> {
  try {
    const { status, body } = await exchange({ method: 'GET', url }, ANSWER_WITHIN_MS);
    if (status === 200) return null;
    const checks = isRecord(body) && isRecord(body['checks']) ? body['checks'] : {};
    const failing = Object.entries(checks).filter(([, isWell]) => isWell !== true);
    return failing.map(([check]) => check).join(', ') || `HTTP ${status}`;
  } catch {
    return 'no answer';
  }
}
