import { create } from 'axios';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** The answer's JSON, or its text where it is none. */
  readonly body: unknown;
}

/** Not Node's fetch, which refuses some ports (6000, 5060 and others) that an offset may lead to. */
const client = create({
  responseType: 'text',
  transformRequest: [(data: unknown) => data],
  transformResponse: [(data: unknown) => data],
  validateStatus: () => true,
  maxRedirects: 0,
  proxy: false,
});

/** Throws when nobody answers in time. */
export async function exchange(request: HttpRequest, withinMs: number): Promise<HttpAnswer> {
  const { method, url, headers, body } = request;
  const { status, data } = await client.request<string>({
    method,
    url,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    data: body,
    signal: AbortSignal.timeout(withinMs),
  });
  return { status, body: jsonOrText(data) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
