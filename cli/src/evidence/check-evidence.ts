import { isDeepStrictEqual } from 'node:util';
import type { KopeckEvent } from '@kopeck/core/event';
import type { Normalised } from '@kopeck/core/source';
import type { Network } from '../../../services/epn/src/network.ts';
import { cryptobotReadings, telegramReadings } from './crypto-readings.ts';
import { deliveryOf } from './delivery-of.ts';
import { affiliateReadings } from './epn-readings.ts';
import { saysTheSame } from './sbp-answers.ts';

/** What raw evidence comes to today. 'untold': none is kept, or nobody can tell how it was read. */
export type EvidenceVerdict = 'same' | 'other' | 'untold';

/** Affiliate networks besides EPN, as they are configured now. */
export type Networks = readonly Network[];

/**
 * Reads the raw evidence of a booked event again, with the receivers' own pure functions: it must come to
 * the event that was booked, id and data. Signatures are not tried, their secrets may be gone.
 */
export async function checkEvidence(
  event: KopeckEvent,
  networks: Networks,
): Promise<EvidenceVerdict> {
  if (event.evidence === '') return 'untold';
  if (event.source === 'sbp') return saysTheSame(event);
  const readings = readingsOf(event, networks);
  if (readings.length === 0) return 'untold';
  return readings.some((reading) => comesTo(event, reading)) ? 'same' : 'other';
}

/** An affiliate's evidence does not say by which door it came: each is tried. */
function readingsOf(event: KopeckEvent, networks: Networks): readonly Normalised<unknown>[] {
  const delivery = deliveryOf(event);
  if (delivery === null) return [];
  if (event.source === 'cryptobot') return cryptobotReadings(event, delivery);
  if (event.source === 'telegram') return telegramReadings(event, delivery);
  return event.source === 'epn' ? affiliateReadings(event, delivery, networks) : [];
}

const SAME = ['id', 'type', 'subject', 'time', 'network', 'contenthash', 'data'] as const;

function comesTo(event: KopeckEvent, reading: Normalised<unknown>): boolean {
  if (reading.kind === 'senseless')
    return event.type === 'quarantined' && event.data.reason === reading.reason;
  return (
    reading.kind === 'event' &&
    SAME.every((field) => isDeepStrictEqual(event[field], reading.event[field]))
  );
}
