import { eventId } from '@kopeck/core/identity';
import { isRecord } from '@kopeck/core/json';
import type { HttpRequest } from '../http.ts';
import { ask, showExchange } from './exchange.ts';
import type { Stage } from './partners.ts';
import { SimulationError } from './running.ts';

const USUAL_AMOUNT = '100';

interface KnownOrder {
  readonly status: string;
  readonly amount: string;
  readonly qrcId: string | null;
}

export async function pay(args: readonly string[], stage: Stage): Promise<string> {
  const [orderId = '', amount] = args;
  if (amount !== undefined && !/^\d{1,9}(\.\d{1,2})?$/.test(amount)) {
    throw new SimulationError(`'${amount}' is no amount of roubles: 100 or 99.50`);
  }
  const known = await findOrder(orderId, stage);
  if (known?.status === 'paid' && known.qrcId !== null) {
    stage.show(`Order ${orderId} is paid already; a QR code is paid once.\n`);
    return paidId(known.qrcId);
  }
  const qrcId = await makeCode(orderId, amount ?? known?.amount ?? USUAL_AMOUNT, stage);
  await payCode(qrcId, orderId, stage);
  return paidId(qrcId);
}

function paidId(qrcId: string): string {
  return eventId('sbp', 'payment.paid', ['raiffeisen', qrcId]);
}

async function findOrder(orderId: string, { target }: Stage): Promise<KnownOrder | null> {
  const url = `${target.value('SBP_URL')}/api/status/${encodeURIComponent(orderId)}`;
  const headers = { Authorization: `Bearer ${target.value('WEBHOOK_API_TOKEN')}` };
  const { status, body } = await ask({ method: 'GET', url, headers });
  if (status !== 200 || !isRecord(body)) return null;
  const qrcId = typeof body['qrcId'] === 'string' ? body['qrcId'] : null;
  return { status: String(body['status']), amount: String(body['amount']), qrcId };
}

/** What the shop does. The same order with the same amount gets the same code again. */
async function makeCode(orderId: string, amount: string, { target, show }: Stage): Promise<string> {
  const token = target.value('WEBHOOK_API_TOKEN');
  const request: HttpRequest = {
    method: 'POST',
    url: `${target.value('SBP_URL')}/api/payment`,
    headers: { Authorization: `Bearer ${token}` },
    body: `{"amount":${amount},"orderId":${JSON.stringify(orderId)}}`,
  };
  const answer = await ask(request);
  showExchange(show, request, answer, [token]);
  const { status, body } = answer;
  if (status === 200 && isRecord(body)) return String(body['qrcId']);
  throw new SimulationError(
    status === 409
      ? `Order ${orderId} exists with another amount. Leave the amount out, or take another order.`
      : `The order could not be made: sbp answered ${status}.`,
  );
}

/** What the payer's bank does. The acquirer then tells sbp, which reads the payment's state back. */
async function payCode(qrcId: string, orderId: string, { target, show }: Stage): Promise<void> {
  const request: HttpRequest = {
    method: 'POST',
    url: `${target.value('SANDBOX_URL')}/raiffeisen/sandbox/nspc-mock/v01/rfuture/payment/init`,
    body: JSON.stringify({ qrId: qrcId }),
  };
  const answer = await ask(request);
  showExchange(show, request, answer, []);
  if (answer.status === 200) return;
  throw new SimulationError(
    answer.status === 404
      ? `The sandbox does not know the code of ${orderId} (was it told to forget?). Take another order.`
      : `The sandbox refused the payment of ${orderId}.`,
  );
}
