import { jsonNumber } from '@kopeck/core/json-number';
import { formatRoubles } from '@kopeck/core/roubles';
import type { QrRequest } from '../provider.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import type { Upstream } from './config.ts';

/** The contract of an upstream of the operator's own: see docs/adding-a-source.md. */
export interface BridgeClient {
  readonly create: (request: QrRequest) => Promise<ProviderAnswer>;
  readonly read: (orderId: string) => Promise<ProviderAnswer>;
}

export function createBridgeClient(
  { url, tokens: [current = ''], cardNumber, cardOwner }: Upstream,
  connect: ConnectProvider,
): BridgeClient {
  const headers = { Authorization: `Bearer ${current}` };
  const http = connect({ provider: 'bridge', baseUrl: url, headers });
  return {
    create: ({ attemptId, kopecks }) => {
      const amount = jsonNumber(formatRoubles(kopecks));
      const body = JSON.stringify({ amount, orderId: attemptId, cardNumber, cardOwner });
      return http({ method: 'POST', path: '', body });
    },
    read: (orderId) => http({ method: 'GET', path: `/${encodeURIComponent(orderId)}` }),
  };
}
