import { SimulationError } from './running.ts';

export interface Request {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  /** The answer's JSON, or its text where it is none. */
  readonly body: unknown;
}

export type Show = (line: string) => void;

const ANSWER_WITHIN_MS = 20_000;

/** Throws SimulationError when nobody answers. */
export async function ask({ method, url, headers, body }: Request): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    return { status: response.status, body: jsonOrText(await response.text()) };
  } catch {
    throw new SimulationError(
      `${new URL(url).origin} does not answer: is the suite still running?`,
    );
  }
}

/** As curl -v shows it; every secret of the list is masked, wherever it stands. */
export function showExchange(
  show: Show,
  { method, url, headers = {}, body }: Request,
  answer: Answer,
  secrets: readonly string[],
): void {
  const lines = [
    `> ${method} ${url}`,
    ...Object.entries(headers).map(([name, value]) => `> ${name}: ${value}`),
    ...(body === undefined ? [] : [`> ${body}`]),
    `< ${answer.status} ${typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)}`,
  ];
  show(secrets.reduce((text, secret) => text.replaceAll(secret, '***'), lines.join('\n')));
  show('');
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
