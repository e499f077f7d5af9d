import type { KopeckEvent } from '@kopeck/core/event';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import type { LedgerConfig } from './config.ts';
import type { Inputs } from './stored-event.ts';

type Rates = Pick<LedgerConfig, 'NDN_PER_STAR' | 'PLANS' | 'EPN_CASHBACK_PERCENT'>;

/** What of the configuration bears on an event; kept with it, so that later changes do not move old books. */
export function inputsFor(config: Rates, event: KopeckEvent): Inputs {
  if (event.type === 'payment.paid' && event.source === 'telegram') {
    return { ndnPerStar: config.NDN_PER_STAR };
  }
  if (event.type === 'payment.paid' && event.source === 'cryptobot') {
    return { plans: planNamedBy(event.data.reference, config.PLANS) };
  }
  if (event.type.startsWith('affiliate.')) return { cashbackPercent: config.EPN_CASHBACK_PERCENT };
  return {};
}

/** Only the one plan that the payload names, as JSON of the same form; '{}' where there is none. */
function planNamedBy(reference: string | null, plans: string): string {
  const payload = parseJsonText(Buffer.from(reference ?? ''));
  const name = isRecord(payload) ? textAt(payload, 'plan') : null;
  const all = JSON.parse(plans) as Record<string, unknown>;
  return JSON.stringify(name !== null && Object.hasOwn(all, name) ? { [name]: all[name] } : {});
}
