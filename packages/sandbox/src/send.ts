import { create } from 'axios';

/** What came back; status 0: nothing did. */
export interface Sent {
  readonly status: number;
  /** The answer's JSON, or its text where it is none. */
  readonly body: unknown;
}

const ANSWER_WITHIN_MS = 10_000;

/**
 * Not Node's fetch, which refuses some ports (6000, 5060 and others): partners do not care. The bytes
 * go out as they are, and redirects are not followed.
 */
const client = create({
  responseType: 'text',
  transformRequest: [(data: unknown) => data],
  transformResponse: [(data: unknown) => data],
  validateStatus: () => true,
  maxRedirects: 0,
  proxy: false,
});

/** One POST, as a partner makes it: nobody waits for ever. */
export async function send(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  stop?: AbortSignal,
): Promise<Sent> {
  const timeout = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    const { status, data } = await client.post<string>(url, body, {
      headers: { 'Content-Type': 'application/json', ...headers },
      signal: stop === undefined ? timeout : AbortSignal.any([stop, timeout]),
    });
    return { status, body: jsonOrText(data) };
  } catch {
    return { status: 0, body: null };
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
