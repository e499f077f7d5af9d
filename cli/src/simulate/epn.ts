import { epnPostback } from '@kopeck/sandbox/epn/epn';
import type { HttpRequest } from '../http.ts';
import { ask, showExchange } from './exchange.ts';
import type { Stage } from './partners.ts';
import { SimulationError } from './running.ts';
import { eventIdIn } from './stars.ts';

const STATUSES = ['waiting', 'pending', 'completed', 'rejected'];

export async function epn(args: readonly string[], { target, show }: Stage): Promise<string> {
  const [orderNumber = '', status = '', commission] = args;
  if (!STATUSES.includes(status)) {
    throw new SimulationError(`'${status}' is no status of EPN: ${STATUSES.join(', ')}`);
  }
  const token = target.value('EPN_SECRET_TOKEN');
  const url = epnPostback({
    origin: target.value('EPN_URL'),
    token,
    orderNumber,
    status,
    fields: commission === undefined ? {} : { commission_fee: commission },
  });
  const request: HttpRequest = { method: 'GET', url };
  const answer = await ask(request);
  showExchange(show, request, answer, [token]);
  return eventIdIn(answer.body);
}
