import { formatRoubles } from '@kopeck/core/roubles';
import type { QrRequest, RefundRequest } from '../provider.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import { beginning } from '../provider-answer.ts';
import type { YookassaShop } from './config.ts';

/** The calls of version 3 that are used. Each throws ProviderError. */
export interface YookassaClient {
  readonly createPayment: (
    request: QrRequest,
    confirmation: 'qr' | 'redirect',
  ) => Promise<ProviderAnswer>;
  readonly payment: (id: string) => Promise<ProviderAnswer>;
  /** May be repeated for a day: the same key is the same refund. */
  readonly createRefund: (request: RefundRequest) => Promise<ProviderAnswer>;
  readonly refund: (id: string) => Promise<ProviderAnswer>;
}

export function createYookassaClient(
  { url, shopId, secretKey }: YookassaShop,
  connect: ConnectProvider,
): YookassaClient {
  const credentials = Buffer.from(`${shopId}:${secretKey}`).toString('base64');
  const headers = { Authorization: `Basic ${credentials}` };
  const http = connect({ provider: 'yookassa', baseUrl: url, headers });

  function post(path: string, key: string, fields: object): Promise<ProviderAnswer> {
    const body = JSON.stringify(fields);
    return http({ method: 'POST', path, body, headers: { 'Idempotence-Key': key } });
  }

  return {
    createPayment: ({ attemptId, kopecks, description, returnUrl }, type) =>
      post('/payments', type === 'qr' ? attemptId : `${attemptId}-${type}`, {
        amount: roubles(kopecks),
        capture: true,
        payment_method_data: { type: 'sbp' },
        confirmation: { type, ...(returnUrl !== null && { return_url: returnUrl }) },
        ...(description !== null && { description: beginning(description, 128) }),
        metadata: { orderId: attemptId },
      }),
    payment: (id) => http({ method: 'GET', path: `/payments/${encodeURIComponent(id)}` }),
    createRefund: ({ refundKey, paymentId, kopecks }) =>
      post('/refunds', refundKey, { payment_id: paymentId, amount: roubles(kopecks) }),
    refund: (id) => http({ method: 'GET', path: `/refunds/${encodeURIComponent(id)}` }),
  };
}

function roubles(kopecks: bigint): { value: string; currency: 'RUB' } {
  return { value: formatRoubles(kopecks, 2), currency: 'RUB' };
}
