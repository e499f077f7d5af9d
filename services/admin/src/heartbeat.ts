import { randomUUID } from 'node:crypto';
import { makeEvent } from '@kopeck/core/make-event';
import type { ReceiverDeps } from '@kopeck/runtime/receiver';

const MINUTE_MS = 60_000;

/**
 * Puts a canary into the journal now and every so many minutes (0: never). It goes the way of every
 * other event, and the courier tells that it has come through. Of several copies each sends its own.
 */
export function startHeartbeat(
  { append, log, now, closing }: Pick<ReceiverDeps, 'append' | 'log' | 'now' | 'closing'>,
  minutes: number,
): void {
  if (minutes === 0) return;
  const copy = randomUUID();

  async function beat(): Promise<void> {
    const at = now();
    await append(
      makeEvent({
        source: 'admin',
        type: 'heartbeat',
        identity: [copy, at.toISOString()],
        subject: 'heartbeat',
        time: at,
        receivedAt: at,
        network: 'main',
        money: null,
        reference: null,
        data: { copy },
        evidence: '',
      }),
    );
  }

  // It is not sent later: one that sets out now would say nothing of then.
  const attempt = (): void =>
    void beat().catch((error: unknown) => log.warn('a canary could not set out', { error }));
  attempt();
  const timer = setInterval(attempt, minutes * MINUTE_MS);
  closing.add('heartbeat', () => clearInterval(timer));
}
