import { create } from 'axios';
import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';

/** What became of a call of ours to a partner's API. No word of it ever holds a token. */
export type Called =
  | { readonly kind: 'ok'; readonly result: unknown }
  /** The partner says no: `name` is its own word for why. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly name: string;
      readonly retryAfterMs: number | null;
    }
  /** No connection stood, so nothing was done. */
  | { readonly kind: 'unreachable' }
  /** It may have been done: nobody answered in time, or the answer cannot be read. */
  | { readonly kind: 'unknown' };

export interface PartnerCall {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly timeoutMs?: number;
}

export type CallPartner = (call: PartnerCall) => Promise<Called>;

const TIMEOUT_MS = 10_000;
const ANSWER_LIMIT_BYTES = 8 * 2 ** 20;

/** Before a connection stands, nothing can have been done. */
const BEFORE_SENDING =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_INVALID_URL|.*CERT.*|UNABLE_TO_VERIFY.*|ERR_TLS.*)$/;

/**
 * One POST of JSON, as both Crypto Pay and the Bot API take it, bounded in time and size. Never throws
 * and never tries again: whether that is safe only the caller knows. The library's errors carry the
 * URL, which holds the bot's token, and go no further than this function.
 */
export const callPartner: CallPartner = async ({ url, headers = {}, parameters, timeoutMs }) => {
  const within = timeoutMs ?? TIMEOUT_MS;
  try {
    const { status, data } = await client.post<Buffer>(url, JSON.stringify(parameters), {
      headers: { 'Content-Type': 'application/json', ...headers },
      timeout: within,
      signal: AbortSignal.timeout(within),
    });
    return readAnswer(status, data);
  } catch (error) {
    return { kind: BEFORE_SENDING.test(codeOf(error)) ? 'unreachable' : 'unknown' };
  }
};

const client = create({
  maxRedirects: 0,
  maxContentLength: ANSWER_LIMIT_BYTES,
  responseType: 'arraybuffer',
  validateStatus: () => true,
  proxy: false,
});

/** Both wrap their answers alike: `{"ok":true,"result":…}`. */
function readAnswer(status: number, data: Buffer): Called {
  const answer = parseJsonText(data);
  if (isRecord(answer) && answer['ok'] === true) return { kind: 'ok', result: answer['result'] };
  // A server's failure may have come after it did the work.
  if (!isRecord(answer) || status >= 500) return { kind: 'unknown' };

  const { error, parameters } = answer;
  const name =
    (isRecord(error) ? textAt(error, 'name') : textAt(answer, 'description')) ?? 'no reason';
  const seconds = isRecord(parameters) ? Number(textAt(parameters, 'retry_after') ?? '') : 0;
  return { kind: 'refused', status, name, retryAfterMs: seconds > 0 ? seconds * 1_000 : null };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
