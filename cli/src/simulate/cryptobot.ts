import { parsePlans } from '@kopeck/core/grants';
import { isRecord } from '@kopeck/core/json';
import { canonicalAmount, isAsset, type Money } from '@kopeck/core/money';
import { ask, showExchange } from './exchange.ts';
import type { Stage } from './partners.ts';
import { SimulationError } from './running.ts';
import { eventIdIn } from './stars.ts';

const BUYER = 5123456789;

export async function cryptobot(args: readonly string[], { target, show }: Stage): Promise<string> {
  const [invoiceId = '', amount = '4.5', asset = 'USDT'] = args;
  if (!/^[1-9]\d{0,14}$/.test(invoiceId)) {
    throw new SimulationError(`'${invoiceId}' is no invoice id: 12345`);
  }
  if (canonicalAmount(amount) === null || !isAsset(asset)) {
    throw new SimulationError(`'${amount} ${asset}' is no amount of a coin: 4.5 USDT`);
  }

  const played = await ask({
    method: 'POST',
    url: `${target.value('SANDBOX_URL')}/__sandbox/crypto-pay/send`,
    body: JSON.stringify({
      invoice_id: Number(invoiceId),
      amount,
      asset,
      ...payloadFor({ amount, asset }, target.value('PLANS')),
    }),
  });
  const delivery = isRecord(played.body) ? played.body['delivery'] : null;
  if (!isRecord(delivery)) {
    throw new SimulationError(`The sandbox sent nothing: ${JSON.stringify(played.body)}`);
  }
  showExchange(
    show,
    {
      method: 'POST',
      url: `${target.value('CRYPTO_URL')}/webhook/cryptobot`,
      headers: { 'crypto-pay-api-signature': '***' },
      body: String(delivery['sent']),
    },
    { status: Number(delivery['status']), body: delivery['body'] },
    [],
  );
  return eventIdIn(delivery['body']);
}

/** Of somebody who buys a plan, when this is the price of one; else the invoice says nothing. */
function payloadFor(paid: Money, plans: string): { payload?: string } {
  const found = [...(parsePlans(plans) ?? [])].find(
    ([, { price }]) => price.asset === paid.asset && price.amount === canonicalAmount(paid.amount),
  );
  if (found === undefined) return {};
  const [plan, { days }] = found;
  return { payload: JSON.stringify({ user_id: BUYER, plan, days }) };
}
