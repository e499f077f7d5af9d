import { evidenceOf, rawHash } from './evidence.ts';
import type { KopeckEvent } from './event.ts';
import { makeEvent } from './make-event.ts';
import type { Delivery, Rejection, Senseless, Source } from './source.ts';

/** Makes the event durable. Throws when it cannot: the sender then gets a 503 and comes again. */
export type Append = (event: KopeckEvent) => Promise<'accepted' | 'duplicate'>;

export type Outcome<Q = never> =
  | { readonly kind: 'rejected'; readonly rejection: Rejection }
  | { readonly kind: 'accepted' | 'duplicate'; readonly event: KopeckEvent }
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'question'; readonly question: Q }
  | { readonly kind: 'quarantined'; readonly event: KopeckEvent; readonly cause: Senseless };

/**
 * The whole of intake. Verification comes first and sees the raw bytes; only then can an authentic
 * body that makes no sense be kept and answered 200, instead of a 400 that the partner repeats for days.
 */
export async function receive<P, N, Q>(
  source: Source<P, N, Q>,
  delivery: Delivery,
  append: Append,
): Promise<Outcome<Q>> {
  const verified = source.verify(delivery);
  if (!verified.ok) return { kind: 'rejected', rejection: verified.rejection };

  const parsed = source.parse(delivery, verified.value);
  if (parsed.kind === 'senseless') return quarantine(source, delivery, parsed, append);

  const normalised = source.normalise(parsed.value, verified.value, delivery);
  switch (normalised.kind) {
    case 'senseless':
      return quarantine(source, delivery, normalised, append);
    case 'event':
      return { kind: await append(normalised.event), event: normalised.event };
    default:
      return normalised;
  }
}

async function quarantine<P, N, Q>(
  source: Source<P, N, Q>,
  delivery: Delivery,
  cause: Senseless,
  append: Append,
): Promise<Outcome<Q>> {
  const raw = rawHash(delivery);
  const event = makeEvent({
    source: source.name,
    type: 'quarantined',
    identity: [raw],
    subject: `quarantine:${source.name}:${raw}`,
    time: null,
    receivedAt: delivery.receivedAt,
    network: 'main',
    money: null,
    reference: null,
    data: { reason: cause.reason },
    evidence: evidenceOf(delivery, source.evidenceHeaders),
  });
  await append(event);
  return { kind: 'quarantined', event, cause };
}
