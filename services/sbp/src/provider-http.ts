import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { rootCertificates } from 'node:tls';
import { create, isAxiosError } from 'axios';
import { isRecord, parseJsonText } from '@kopeck/core/json';
import type { Breaker } from './breaker.ts';
import { ProviderError, type ProviderFailure } from './provider.ts';

export interface ProviderHttpOptions {
  /** Named in errors. */
  readonly provider: string;
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For one call, from looking up the name to the last byte. */
  readonly timeoutMs: number;
  readonly breaker: Breaker;
  /** Roots that are believed besides those of Node, as PEM. */
  readonly extraCa?: string;
}

/** How a provider's client comes to its HTTP: what is common to all is filled in already. */
export type ConnectProvider = (
  options: Pick<ProviderHttpOptions, 'provider' | 'baseUrl' | 'headers'>,
) => ProviderHttp;

export interface ProviderRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, written by the caller: amounts must not pass through a float. */
  readonly body?: string;
}

export interface ProviderAnswer {
  /** As parseJsonText gives it: numbers are texts. */
  readonly json: Record<string, unknown>;
  readonly text: string;
}

export type ProviderHttp = (request: ProviderRequest) => Promise<ProviderAnswer>;

const ANSWER_LIMIT_BYTES = 256 * 1024;

/**
 * All talk with providers: bounded in time and size, no redirects, a fresh connection for each call (a
 * kept one may die under a request, which then has an unknown outcome). Throws ProviderError only; the
 * client library's errors carry the request with its token, and go no further than this file.
 */
export function createProviderHttp(options: ProviderHttpOptions): ProviderHttp {
  const { provider, baseUrl, headers, timeoutMs, breaker } = options;
  const client = create({
    headers: { ...headers },
    timeout: timeoutMs,
    maxRedirects: 0,
    maxContentLength: ANSWER_LIMIT_BYTES,
    responseType: 'arraybuffer',
    validateStatus: () => true,
    proxy: false,
    httpAgent: new HttpAgent({ keepAlive: false }),
    httpsAgent: new HttpsAgent({ keepAlive: false, ...trust(options) }),
  });

  async function send({
    method,
    path,
    body,
    headers: more,
  }: ProviderRequest): Promise<ProviderAnswer> {
    const response = await client
      .request<Buffer>({
        method,
        url: `${baseUrl}${path}`,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body !== undefined && { data: body }),
        headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...more },
      })
      .catch((error: unknown) => {
        throw failed(provider, error);
      });
    const { status, data } = response;
    // Only what was deleted may be answered with nothing at all.
    const text = method === 'DELETE' && data.length === 0 ? Buffer.from('{}') : data;
    return readAnswer(provider, status, text);
  }

  return (request) => guarded(provider, breaker, () => send(request));
}

/** A partner that does not answer is left alone for a while: nobody waits for it in vain. */
async function guarded<T>(provider: string, breaker: Breaker, call: () => Promise<T>): Promise<T> {
  if (!breaker.mayCall()) {
    throw new ProviderError('unreachable', `${provider} did not answer lately, and is left alone`);
  }
  try {
    const result = await call();
    breaker.succeeded();
    return result;
  } catch (error) {
    const isAway =
      error instanceof ProviderError && ['unknown', 'unreachable'].includes(error.failure);
    breaker[isAway ? 'failed' : 'succeeded']();
    throw error;
  }
}

/** An `ca` of one's own replaces Node's: both are given. */
function trust({ extraCa }: ProviderHttpOptions): { ca?: string[] } {
  return extraCa === undefined ? {} : { ca: [...rootCertificates, extraCa] };
}

function readAnswer(provider: string, status: number, data: Buffer): ProviderAnswer {
  if (status < 200 || status > 299) {
    throw new ProviderError(failureOf(status), `${provider} answered HTTP ${status}`);
  }
  const json = parseJsonText(data);
  if (!isRecord(json)) {
    throw new ProviderError('unknown', `${provider} gave an answer that cannot be read`);
  }
  return { json, text: data.toString('utf8') };
}

/** Of what is neither success nor listed, a server's failure may have come after it did the work. */
function failureOf(status: number): ProviderFailure {
  if (status === 401 || status === 403) return 'auth';
  if (status === 429 || status === 503) return 'busy';
  return status >= 500 ? 'unknown' : 'rejected';
}

/** Before a connection stands, nothing can have been done. */
const BEFORE_SENDING =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_INVALID_URL|.*CERT.*|UNABLE_TO_VERIFY.*|ERR_TLS.*)$/;

function failed(provider: string, error: unknown): ProviderError {
  const code = isAxiosError(error) ? (error.code ?? '') : '';
  if (BEFORE_SENDING.test(code)) {
    return new ProviderError('unreachable', `${provider} cannot be reached (${code})`);
  }
  return new ProviderError('unknown', `${provider} did not answer in time or broke off`);
}
