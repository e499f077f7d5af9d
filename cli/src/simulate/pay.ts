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
  const [orderId = '', amount, provider] = args;
  if (amount !== undefined && !/^\d{1,9}(\.\d{1,2})?$/.test(amount)) {
    throw new SimulationError(`'${amount}' is no amount of roubles: 100 or 99.50`);
  }
  const known = await findOrder(orderId, stage);
  if (known?.status === 'paid' && known.qrcId !== null) {
    stage.show(`Order ${orderId} is paid already; a QR code is paid once.\n`);
    return paidId(await findCode(known.qrcId, orderId, stage));
  }
  const wanted = { orderId, amount: amount ?? known?.amount ?? USUAL_AMOUNT, provider };
  const code = await findCode(await makeCode(wanted, stage), orderId, stage);
  await payCode(code, orderId, stage);
  return paidId(code);
}

/** A code as the sandbox has it. */
interface Code {
  readonly double: string;
  readonly qrId: string;
  readonly provider: string;
  readonly paymentId: string;
}

function paidId({ provider, paymentId }: Code): string {
  return eventId('sbp', 'payment.paid', [provider, paymentId]);
}

const ACQUIRERS = ['acquirer', 'tbank', 'yookassa', 'tochka', 'bridge'];

/** Throws SimulationError: none of the sandbox's acquirers knows it. */
async function findCode(qrcId: string, orderId: string, { target }: Stage): Promise<Code> {
  for (const double of ACQUIRERS) {
    const url = `${target.value('SANDBOX_URL')}/__sandbox/${double}/qrs`;
    const { body } = await ask({ method: 'GET', url });
    const codes = Array.isArray(body) ? body.filter(isRecord) : [];
    const code = codes.find((one) => one['qrId'] === qrcId);
    if (code === undefined) continue;
    const [provider, paymentId] = [String(code['provider']), String(code['paymentId'])];
    return { double, qrId: qrcId, provider, paymentId };
  }
  throw new SimulationError(
    `The sandbox does not know the code of ${orderId} (was it told to forget?). Take another order.`,
  );
}

async function findOrder(orderId: string, { target }: Stage): Promise<KnownOrder | null> {
  const url = `${target.value('SBP_URL')}/api/status/${encodeURIComponent(orderId)}`;
  const headers = { Authorization: `Bearer ${target.value('WEBHOOK_API_TOKEN')}` };
  const { status, body } = await ask({ method: 'GET', url, headers });
  if (status !== 200 || !isRecord(body)) return null;
  const qrcId = typeof body['qrcId'] === 'string' ? body['qrcId'] : null;
  return { status: String(body['status']), amount: String(body['amount']), qrcId };
}

interface Wanted {
  readonly orderId: string;
  readonly amount: string;
  readonly provider: string | undefined;
}

/** What the shop does. The same order with the same amount gets the same code again. */
async function makeCode(
  { orderId, amount, provider }: Wanted,
  { target, show }: Stage,
): Promise<string> {
  const token = target.value('WEBHOOK_API_TOKEN');
  const more = provider === undefined ? '' : `,"provider":${JSON.stringify(provider)}`;
  const request: HttpRequest = {
    method: 'POST',
    url: `${target.value('SBP_URL')}/api/payment`,
    headers: { Authorization: `Bearer ${token}` },
    body: `{"amount":${amount},"orderId":${JSON.stringify(orderId)}${more}}`,
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

/** Where Raiffeisen's own sandbox is paid; the other banks have no such place. */
const RAIFFEISEN_PATH = '/raiffeisen/sandbox/nspc-mock/v01/rfuture/payment/init';

/** What the payer's bank does. The acquirer then tells sbp, which reads the payment's state back. */
async function payCode(
  { double, qrId }: Code,
  orderId: string,
  { target, show }: Stage,
): Promise<void> {
  const path = double === 'acquirer' ? RAIFFEISEN_PATH : `/__sandbox/${double}/pay`;
  const request: HttpRequest = {
    method: 'POST',
    url: `${target.value('SANDBOX_URL')}${path}`,
    body: JSON.stringify({ qrId }),
  };
  const answer = await ask(request);
  showExchange(show, request, answer, []);
  if (answer.status === 200) return;
  throw new SimulationError(`The sandbox refused the payment of ${orderId}.`);
}
