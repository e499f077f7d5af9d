import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { recordIn } from '../answers.ts';
import { PanelError } from '../port.ts';
import {
  bodyOf,
  kindOfStatus,
  type PanelAnswer,
  type PanelRequest,
  type Send,
} from '../request.ts';
import { createSession, LoggedOut } from '../session.ts';
import type { ThreeXUiConfig } from './config.ts';

/** `cookie`: up to 2.9. `csrf`: 3.0. `clients`: from 3.1 on, with paths of their own for clients. */
export type Generation = 'cookie' | 'csrf' | 'clients';

export interface Session {
  readonly headers: Readonly<Record<string, string>>;
  readonly generation: Generation;
}

export interface Client {
  /** The `obj` of the answer; null where this panel does not have the path. */
  readonly call: (request: Call, signal: AbortSignal) => Promise<Reply>;
}

export interface Call {
  /** By generation: the same question has other paths in other panels. */
  readonly path: (generation: Generation) => string;
  readonly body?: object;
  /** Some panels of the generation do not have it. */
  readonly isOptional?: boolean;
}

export interface Reply {
  readonly generation: Generation;
  /** Undefined: no such path. */
  readonly obj: unknown;
}

const PROBE = '/panel/api/clients/list/paged?page=1&pageSize=1';
const LIST = '/panel/api/inbounds/list';

/**
 * Panels answer a stranger with an empty 404 (401 only when the request says it is a script's), which
 * is also how they answer for a path that they do not have: the generation is therefore probed right
 * after the login, and a 404 of a path that the generation has is a session that has ended.
 */
export function createClient(config: ThreeXUiConfig, send: Send, now: () => Date): Client {
  const { url, token } = config;
  const ask = (path: string, headers: HeaderTexts, rest: Omit<PanelRequest, 'url' | 'headers'>) => {
    const script = { 'X-Requested-With': 'XMLHttpRequest', Accept: 'application/json' };
    return send({ ...rest, url: url + path, headers: { ...script, ...headers } });
  };

  async function login(signal: AbortSignal): Promise<Session> {
    if (token !== undefined) return probe({ Authorization: `Bearer ${token}` }, true, signal);
    const { username = '', password = '' } = config;
    const first = await ask('/csrf-token', {}, { signal });
    const csrf = first.status === 200 ? textAt(recordIn(first.data), 'obj') : null;
    const headers: HeaderTexts =
      csrf === null ? {} : { Cookie: cookieOf(first), 'X-CSRF-Token': csrf };
    const body = new URLSearchParams({ username, password });
    const entered = await ask('/login', headers, { method: 'POST', body, signal });
    if (recordIn(bodyOf(entered))['success'] !== true) throw new PanelError('auth');
    return probe({ ...headers, Cookie: cookieOf(entered) }, csrf !== null, signal);
  }

  async function probe(
    headers: HeaderTexts,
    isThird: boolean,
    signal: AbortSignal,
  ): Promise<Session> {
    const paged = await ask(PROBE, headers, { signal });
    if (paged.status === 200) return { headers, generation: 'clients' };
    const list = await ask(LIST, headers, { signal });
    if (list.status === 404) throw new PanelError('auth');
    bodyOf(list);
    return { headers, generation: isThird ? 'csrf' : 'cookie' };
  }

  const session = createSession({ login, now });
  return {
    call: ({ path, body, isOptional = false }, signal) =>
      session.use(async ({ headers, generation }) => {
        const method = body === undefined ? 'GET' : 'POST';
        const wanted = path(generation);
        const more = body === undefined ? {} : { body };
        const answer = await ask(wanted, headers, { method, signal, ...more });
        if (isStrangers(answer)) {
          const alive = await ask(LIST, headers, { signal });
          if (alive.status === 200 && isOptional) return { generation, obj: undefined };
          // Or the panel is of another generation by now, which is probed at a login.
          throw new LoggedOut();
        }
        return { generation, obj: objOf(bodyOf(answer)) };
      }, signal),
  };
}

type HeaderTexts = Record<string, string>;

/** Also a login page or a way to it. */
function isStrangers({ status, data }: PanelAnswer): boolean {
  const isDoor = [301, 302, 303, 307, 401, 403, 404].includes(status);
  return isDoor || data.subarray(0, 64).toString().trimStart().startsWith('<');
}

/** Mistakes are a 200 with `success: false`, and a text in the panel's language with Go's own at its end. */
function objOf(body: Buffer): unknown {
  const answer = parseJsonText(body);
  if (!isRecord(answer)) throw new PanelError('protocol');
  if (answer['success'] === true) return answer['obj'];
  const text = textAt(answer, 'msg') ?? '';
  if (/database is locked/i.test(text)) throw new PanelError('busy');
  throw new PanelError(/record not found/i.test(text) ? 'not_found' : 'protocol');
}

function cookieOf(answer: PanelAnswer): string {
  const [, pair = ''] = /((?:3x-ui|session)=[^;,]+)/.exec(answer.header('set-cookie')) ?? [];
  if (pair === '')
    throw new PanelError(answer.status === 200 ? 'protocol' : kindOfStatus(answer.status));
  return pair;
}
