import { exchange, type HttpAnswer, type HttpRequest } from '../http.ts';
import { SimulationError } from './running.ts';

export type Show = (line: string) => void;

const ANSWER_WITHIN_MS = 20_000;

/** Throws SimulationError when nobody answers. */
export async function ask(request: HttpRequest): Promise<HttpAnswer> {
  try {
    return await exchange(request, ANSWER_WITHIN_MS);
  } catch {
    const { origin } = new URL(request.url);
    throw new SimulationError(`${origin} does not answer: is the suite still running?`);
  }
}

/** As curl -v shows it; every secret of the list is masked, wherever it stands. */
export function showExchange(
  show: Show,
  { method, url, headers = {}, body }: HttpRequest,
  answer: HttpAnswer,
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
