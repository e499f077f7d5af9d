import type { AffiliateAction, KopeckEvent } from '@kopeck/core/event';
import { isRecord, parseJsonText } from '@kopeck/core/json';
import type { Delivery, Normalised, Parsed } from '@kopeck/core/source';
import { epnNetwork } from '../../../services/epn/src/epn/config.ts';
import { normalisePostback } from '../../../services/epn/src/action.ts';
import type { Network } from '../../../services/epn/src/network.ts';
import { parse } from '../../../services/epn/src/epn/parse.ts';
import type { Postback } from '../../../services/epn/src/postback.ts';
import { rowEvent } from '../../../services/epn/src/stats/row-event.ts';
import { normalise as normaliseSvix } from '../../../services/epn/src/svix/normalise.ts';
import { parse as parseSvix } from '../../../services/epn/src/svix/parse.ts';

/** By every door through which an action can have come: a postback, Svix, a line of EPN's statistics. */
export function affiliateReadings(
  event: KopeckEvent,
  delivery: Delivery,
  others: readonly Network[],
): readonly Normalised<unknown>[] {
  const networks = networksFor(event, others);
  return networks.flatMap((network) => [
    read(parse(delivery, network), network, delivery),
    ...inJson(delivery, network),
  ]);
}

function inJson(delivery: Delivery, network: Network): readonly Normalised<unknown>[] {
  const json = parseJsonText(delivery.body);
  if (!isRecord(json)) return [];
  const row = isRecord(json['attributes']) ? [rowEvent(json, network, delivery.receivedAt)] : [];
  return [...inMessage(delivery, network), ...row];
}

/** The action of a signed message keeps which one it was. */
function inMessage(delivery: Delivery, network: Network): readonly Normalised<unknown>[] {
  const messageId = delivery.header('svix-id') ?? delivery.header('webhook-id');
  if (messageId === undefined) return [];
  const parsed = parseSvix(delivery, network);
  if (parsed.kind === 'senseless') return [parsed];
  return [normaliseSvix(parsed.value, network, { delivery, messageId })];
}

function read(parsed: Parsed<Postback>, network: Network, delivery: Delivery): Normalised<unknown> {
  return parsed.kind === 'senseless' ? parsed : normalisePostback(parsed.value, network, delivery);
}

/** Where a postback named no currency, the one that was configured then is in the data. */
function networksFor(event: KopeckEvent, others: readonly Network[]): readonly Network[] {
  const action = event.type.startsWith('affiliate.') ? (event.data as AffiliateAction) : null;
  const currency = action?.commission?.asset ?? action?.revenue?.asset ?? 'RUB';
  return [epnNetwork({ EPN_DEFAULT_CURRENCY: currency }), ...others]
    .filter(({ partner }) => action === null || partner === action.partner)
    .map((network) => ({ ...network, defaultCurrency: currency }));
}
