import { isRecord, textAt } from '@kopeck/core/json';
import { amountOf, canonicalAmount, type Amount } from '@kopeck/core/money';
import { ask, showExchange } from './exchange.ts';
import type { Stage } from './partners.ts';
import { SimulationError } from './running.ts';

export async function stars(args: readonly string[], { target, show }: Stage): Promise<string> {
  const [user = '', ndn = ''] = args;
  if (!/^[1-9]\d{0,15}$/.test(user)) throw new SimulationError(`'${user}' is no Telegram user id`);
  const amount = canonicalAmount(ndn);
  if (amount === null || amountOf(amount) <= 0n) {
    throw new SimulationError(`'${ndn}' is no amount of NDN: 1500`);
  }

  const price = starsFor(amountOf(amount), amountOf(target.value('NDN_PER_STAR')));
  const played = await ask({
    method: 'POST',
    url: `${target.value('SANDBOX_URL')}/__sandbox/bot/pay`,
    body: `{"user":${user},"stars":${price},"payload":${JSON.stringify(`{"telegram_id":${user},"amount_ndn":${amount}}`)}}`,
  });
  const { payment, checkout } = isRecord(played.body) ? played.body : {};
  if (!isRecord(payment) || !isRecord(payment['delivered'])) {
    throw new SimulationError(
      `The bot refused the checkout: ${JSON.stringify(checkout ?? played.body)}`,
    );
  }

  const { update, status, body } = payment['delivered'];
  showExchange(
    show,
    {
      method: 'POST',
      url: `${target.value('CRYPTO_URL')}/webhook/telegram`,
      headers: { 'X-Telegram-Bot-Api-Secret-Token': '***' },
      body: JSON.stringify(update),
    },
    { status: Number(status), body },
    [],
  );
  return eventIdIn(body);
}

/** A price is a whole number of Stars, at least one; half a Star rounds up. */
function starsFor(ndn: Amount, ndnPerStar: Amount): bigint {
  const rounded = (2n * ndn + ndnPerStar) / (2n * ndnPerStar);
  return rounded > 0n ? rounded : 1n;
}

/** Throws SimulationError when the receiver has not taken it. */
export function eventIdIn(body: unknown): string {
  const id = isRecord(body) ? textAt(body, 'id') : null;
  if (id !== null) return id;
  throw new SimulationError('The receiver has not taken it, so nothing will be booked.');
}
