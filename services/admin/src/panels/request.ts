import { Agent } from 'node:https';
import axios, { isAxiosError, type AxiosRequestConfig } from 'axios';
import { PanelError, type PanelErrorKind } from './port.ts';
import { pinnedAgent, type TlsTrust } from './tls.ts';

const MAX_BYTES = 2 ** 20;

export interface PanelRequest {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A form where it is URLSearchParams, else JSON. */
  readonly body?: URLSearchParams | object;
  readonly signal: AbortSignal;
}

export interface PanelAnswer {
  readonly status: number;
  readonly data: Buffer;
  readonly header: (name: string) => string;
}

/** Sends one request and gives whatever status came. Throws PanelError when none came. */
export type Send = (request: PanelRequest) => Promise<PanelAnswer>;

/**
 * Panel addresses are the operator's, and still lead to machines that others run: no redirects, no
 * proxy, no answer above 1 MiB, and no certificate that nobody has vouched for.
 */
export function createSend(trust: TlsTrust = {}): Send {
  const agentFor = trust.pinSha256 === undefined ? null : pinnedAgent(trust.pinSha256);
  const agent = trust.caPem === undefined ? undefined : new Agent({ ca: trust.caPem });
  return async ({ method = 'GET', url, headers, body, signal }) => {
    const httpsAgent = agentFor === null ? agent : await agentFor(url, signal);
    return send({ method, url, headers: { ...headers }, data: body, signal, httpsAgent });
  };
}

async function send(config: AxiosRequestConfig): Promise<PanelAnswer> {
  try {
    const { status, data, headers } = await axios.request<Buffer>({
      ...config,
      responseType: 'arraybuffer',
      maxRedirects: 0,
      maxContentLength: MAX_BYTES,
      proxy: false,
      validateStatus: () => true,
    });
    const header = (name: string): string => String(headers[name] ?? '');
    return { status, data, header };
  } catch (error) {
    const isAborted = (config.signal as AbortSignal | undefined)?.aborted === true;
    const kind = isAborted ? 'timeout' : kindOfFailure(error);
    // Not the error itself: it holds the request, and with it the panel's credentials.
    throw new PanelError(kind, { cause: error instanceof Error ? error.message : undefined });
  }
}

const OTHER_STATUS: Readonly<Record<number, PanelErrorKind>> = {
  401: 'auth',
  403: 'auth',
  404: 'not_found',
  429: 'rate_limited',
};

/** The body of a 200. Throws PanelError for every other status. */
export function bodyOf({ status, data }: PanelAnswer): Buffer {
  if (status === 200) return data;
  throw new PanelError(kindOfStatus(status));
}

export function kindOfStatus(status: number): PanelErrorKind {
  return status >= 500 ? 'busy' : (OTHER_STATUS[status] ?? 'protocol');
}

const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT)/;

export function kindOfFailure(error: unknown): PanelErrorKind {
  if (error instanceof PanelError) return error.kind;
  const code = isAxiosError(error) ? (error.code ?? '') : '';
  if (UNTRUSTED.test(code)) return 'tls_untrusted';
  if (code === 'ETIMEDOUT' || code === 'ECONNABORTED') return 'timeout';
  return code === 'ERR_BAD_RESPONSE' || code === 'HPE_INVALID_CONSTANT' ? 'protocol' : 'connection';
}
