import { recordAt, recordIn, type Fields } from '../answers.ts';
import { bodyOf, type PanelRequest, type Send } from '../request.ts';
import type { RemnawaveConfig } from './config.ts';

export interface Client {
  /** The `response` of the answer; null for a 400, by which a panel refuses ids of another generation. */
  readonly call: (path: string, signal: AbortSignal, body?: object) => Promise<Fields | null>;
}

/** The panel destroys the socket of a request that did not come through a proxy over https. */
const PROXIED = { 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Proto': 'https' };

export function createClient({ url, token }: RemnawaveConfig, send: Send): Client {
  const headers = { ...PROXIED, Authorization: `Bearer ${token}`, Accept: 'application/json' };
  return {
    async call(path, signal, body) {
      const request: PanelRequest = { url: url + path, headers, signal };
      const answer = await send(
        body === undefined ? request : { ...request, method: 'POST', body },
      );
      if (answer.status === 400) return null;
      return recordAt(recordIn(bodyOf(answer)), 'response');
    },
  };
}
