import { jsonNumber } from '@kopeck/core/json-number';
import { formatRoubles } from '@kopeck/core/roubles';
import type { QrRequest, RefundRequest } from '../provider.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import { beginning } from '../provider-answer.ts';
import type { TochkaMerchant } from './config.ts';

/** The calls of the bank's SBP API, version 1.0, that are used. Each throws ProviderError. */
export interface TochkaClient {
  readonly registerQr: (request: QrRequest) => Promise<ProviderAnswer>;
  readonly paymentStatus: (qrcId: string) => Promise<ProviderAnswer>;
  /** Payments of any age, else of two days. Null: without a customer code the bank does not tell. */
  readonly payments: ((qrcId: string, from?: Date) => Promise<ProviderAnswer>) | null;
  readonly createRefund: (request: RefundRequest) => Promise<ProviderAnswer>;
  readonly refund: (requestId: string) => Promise<ProviderAnswer>;
  readonly keys: () => Promise<ProviderAnswer>;
}

/** Before an operation's number that is the bank's own. */
export const OWN_OPERATION = 'own:';

export function createTochkaClient(
  { url, keysUrl, token, merchantId, accountId, customerCode }: TochkaMerchant,
  connect: ConnectProvider,
  now: () => Date,
): TochkaClient {
  const headers = { Authorization: `Bearer ${token}` };
  const http = connect({ provider: 'tochka', baseUrl: url, headers });
  const keys = connect({ provider: 'tochka', baseUrl: keysUrl, headers: {} });
  const [accountCode = '', bankCode = ''] = accountId.split('/');
  const get = (path: string): Promise<ProviderAnswer> => http({ method: 'GET', path });
  const post = (path: string, data: object): Promise<ProviderAnswer> =>
    http({ method: 'POST', path, body: JSON.stringify({ Data: data }) });

  return {
    // The account's slash stays one: the bank takes two segments.
    registerQr: ({ kopecks, expiresAt, description, returnUrl }) =>
      post(`/sbp/v1.0/qr-code/merchant/${merchantId}/${accountId}`, {
        // Kopecks here, roubles in refunds.
        amount: jsonNumber(String(kopecks)),
        currency: 'RUB',
        paymentPurpose: beginning(description ?? 'Оплата заказа', 140),
        qrcType: '02',
        ttl: Math.max(1, Math.round((expiresAt.getTime() - now().getTime()) / 60_000)),
        ...(returnUrl !== null && { redirectUrl: returnUrl }),
      }),
    paymentStatus: (qrcId) => get(`/sbp/v1.0/qr-codes/${encodeURIComponent(qrcId)}/payment-status`),
    payments:
      customerCode === null
        ? null
        : (qrcId, from) => {
            const query = new URLSearchParams({ customerCode, qrcId });
            if (from !== undefined) query.set('fromDate', from.toISOString().slice(0, 10));
            return get(`/sbp/v1.0/get-sbp-payments?${query.toString()}`);
          },
    createRefund: ({ paymentId, operationId, kopecks }) =>
      post('/sbp/v1.0/refund', {
        bankCode,
        accountCode,
        amount: formatRoubles(kopecks, 2),
        currency: 'RUB',
        qrcId: paymentId,
        ...operationIn(operationId ?? ''),
        purpose: 'Возврат',
      }),
    refund: (requestId) => get(`/sbp/v1.0/refund/${encodeURIComponent(requestId)}`),
    keys: () => keys({ method: 'GET', path: '' }),
  };
}

function operationIn(operationId: string): { trxId: string } | { refTransactionId: string } {
  return operationId.startsWith(OWN_OPERATION)
    ? { refTransactionId: operationId.slice(OWN_OPERATION.length) }
    : { trxId: operationId };
}
