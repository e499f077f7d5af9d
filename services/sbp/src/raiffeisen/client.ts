import { textAt } from '@kopeck/core/json';
import { jsonNumber } from '@kopeck/core/json-number';
import { formatRoubles } from '@kopeck/core/roubles';
import { ProviderError, type QrRequest, type RefundRequest } from '../provider.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import type { RaiffeisenMerchant } from './config.ts';

/** The calls of "Raif Pay", SBP C2B, that are used. Each throws ProviderError. */
export interface RaiffeisenClient {
  readonly registerQr: (request: QrRequest) => Promise<ProviderAnswer>;
  readonly qrInfo: (qrId: string) => Promise<ProviderAnswer>;
  readonly paymentInfo: (qrId: string) => Promise<ProviderAnswer>;
  readonly cancelQr: (qrId: string) => Promise<ProviderAnswer>;
  readonly refund: (request: RefundRequest) => Promise<ProviderAnswer>;
  readonly refundInfo: (refundId: string) => Promise<ProviderAnswer>;
}

export function createRaiffeisenClient(
  { url, secretKeys: [current = ''], sbpMerchantId }: RaiffeisenMerchant,
  connect: ConnectProvider,
): RaiffeisenClient {
  const headers = { Authorization: `Bearer ${current}` };
  const http = connect({ provider: 'raiffeisen', baseUrl: url, headers });
  const get = async (path: string): Promise<ProviderAnswer> =>
    refuseErrors(await http({ method: 'GET', path }));

  return {
    registerQr: async ({ attemptId, kopecks, expiresAt, description, returnUrl }) => {
      const body = JSON.stringify({
        qrType: 'QRDynamic',
        amount: jsonNumber(formatRoubles(kopecks, 2)),
        currency: 'RUB',
        order: attemptId,
        sbpMerchantId,
        qrExpirationDate: withOffset(expiresAt),
        ...(description !== null && { paymentDetails: description }),
        ...(returnUrl !== null && { redirectUrl: returnUrl }),
      });
      return refuseErrors(await http({ method: 'POST', path: '/sbp/v2/qrs', body }));
    },
    qrInfo: (qrId) => get(`/sbp/v2/qrs/${encodeURIComponent(qrId)}`),
    paymentInfo: (qrId) => get(`/sbp/v1/qr/${encodeURIComponent(qrId)}/payment-info`),
    cancelQr: async (qrId) =>
      refuseErrors(
        await http({ method: 'DELETE', path: `/sbp/v2/qrs/${encodeURIComponent(qrId)}` }),
      ),
    refund: async ({ attemptId, refundKey, kopecks }) => {
      const amount = jsonNumber(formatRoubles(kopecks, 2));
      const body = JSON.stringify({ amount, order: attemptId, refundId: refundKey });
      return refuseErrors(await http({ method: 'POST', path: '/sbp/v1/refund', body }));
    },
    refundInfo: (refundId) => get(`/sbp/v1/refund/${encodeURIComponent(refundId)}`),
  };
}

const ERROR_CODE = /^ERROR\.[A-Z_]{1,60}$/;

/** Logical errors come with HTTP 200: the code tells. Version 2 answers have none when all is well. */
function refuseErrors(answer: ProviderAnswer): ProviderAnswer {
  const code = textAt(answer.json, 'code');
  if (code === null || code === 'SUCCESS') return answer;
  const shown = ERROR_CODE.test(code) ? code : 'an error';
  throw new ProviderError('rejected', `raiffeisen answered ${shown}`);
}

/** The bank wants an offset and no fraction of a second. */
function withOffset(date: Date): string {
  return `${date.toISOString().slice(0, 19)}+00:00`;
}
