import { QUEUES, type KopeckEvent, type QueueName, type SourceName } from '@kopeck/core/event';
import { sha256 } from '@kopeck/core/identity';
import { makeEvent } from '@kopeck/core/make-event';

/** Something on the queue that is no event, kept as evidence under the hash of its bytes. */
export function quarantineOfGarbage(queue: QueueName, value: unknown, now: Date): KopeckEvent {
  return quarantine(QUEUES[queue][0], JSON.stringify(value) ?? 'null', 'undecodable', now);
}

/** An event that the books cannot take: its business identity stays free for its genuine twin. */
export function quarantineOf(event: KopeckEvent, reason: string, now: Date): KopeckEvent {
  return quarantine(event.source, JSON.stringify(event), reason, now);
}

function quarantine(source: SourceName, evidence: string, reason: string, now: Date): KopeckEvent {
  const hash = sha256(evidence);
  return makeEvent({
    source,
    type: 'quarantined',
    identity: [hash],
    subject: `quarantine:${source}:${hash}`,
    time: null,
    receivedAt: now,
    network: 'main',
    money: null,
    reference: null,
    data: { reason },
    evidence,
  });
}
