import { receive, type Outcome } from '@kopeck/core/receive';
import type { AffiliateAction, KopeckEvent } from '@kopeck/core/event';
import type { Delivery } from '@kopeck/core/source';
import { deliveryOf } from '@kopeck/testing/delivery';
import { epnSource } from '../src/epn/source.ts';

export const TOKEN = 'current-token_0123456789abcdefghijklmn';
export const OLD_TOKEN = 'previous-token_0123456789abcdefghijklm';

export const source = epnSource({
  EPN_SECRET_TOKEN: [TOKEN, OLD_TOKEN],
  EPN_DEFAULT_CURRENCY: 'RUB',
});

/** The four parameters that every postback of these tests has. */
export const ORDER = 'click_id=123&order_number=ORDER-001&uniq_id=EPN-12345&order_status=waiting';

export function got(query: string): Delivery {
  return deliveryOf({ method: 'GET', path: `/webhook/${TOKEN}`, query });
}

export function posted(
  body: string | Buffer,
  type = 'application/x-www-form-urlencoded',
): Delivery {
  return deliveryOf({
    path: `/webhook/${TOKEN}`,
    headers: { 'content-type': type },
    body: Buffer.from(body),
  });
}

export function outcomeOf(delivery: Delivery): Promise<Outcome> {
  return receive(source, delivery, async () => 'accepted');
}

export async function eventOf(delivery: Delivery): Promise<KopeckEvent> {
  const outcome = await outcomeOf(delivery);
  if (outcome.kind !== 'accepted') throw new Error(`no event but ${outcome.kind}`);
  return outcome.event;
}

/** The action that a postback of ORDER and these parameters becomes. */
export async function actionOf(parameters: string, order = ORDER): Promise<AffiliateAction> {
  const event = await eventOf(got(`${order}&${parameters}`));
  return event.data as AffiliateAction;
}
