/** What came back; status 0: nothing did. */
export interface Sent {
  readonly status: number;
  /** The answer's JSON, or its text where it is none. */
  readonly body: unknown;
}

const ANSWER_WITHIN_MS = 10_000;

/** One POST, as a partner makes it: redirects are not followed, and nobody waits for ever. */
export async function send(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<Sent> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    return { status: response.status, body: jsonOrText(await response.text()) };
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
