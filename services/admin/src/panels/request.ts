import axios, { isAxiosError, type AxiosRequestConfig } from 'axios';
import { PanelError, type PanelErrorKind } from './port.ts';

const MAX_BYTES = 2 ** 20;

/**
 * One GET to a panel. Panel addresses are the operator's, and still lead to machines that others run:
 * no redirects, no proxy, no answer above 1 MiB. Throws PanelError for all but a 200.
 */
export async function getFromPanel(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Buffer> {
  const { status, data } = await send({ url, headers: { ...headers }, signal });
  if (status === 200) return data;
  throw new PanelError(kindOfStatus(status));
}

async function send(config: AxiosRequestConfig): Promise<{ status: number; data: Buffer }> {
  try {
    return await axios.request<Buffer>({
      ...config,
      responseType: 'arraybuffer',
      maxRedirects: 0,
      maxContentLength: MAX_BYTES,
      proxy: false,
      validateStatus: () => true,
    });
  } catch (error) {
    const kind = config.signal?.aborted === true ? 'timeout' : kindOfFailure(error);
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

function kindOfStatus(status: number): PanelErrorKind {
  return status >= 500 ? 'busy' : (OTHER_STATUS[status] ?? 'protocol');
}

const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT)/;

function kindOfFailure(error: unknown): PanelErrorKind {
  const code = isAxiosError(error) ? (error.code ?? '') : '';
  if (UNTRUSTED.test(code)) return 'tls_untrusted';
  if (code === 'ETIMEDOUT' || code === 'ECONNABORTED') return 'timeout';
  return code === 'ERR_BAD_RESPONSE' || code === 'HPE_INVALID_CONSTANT' ? 'protocol' : 'connection';
}
