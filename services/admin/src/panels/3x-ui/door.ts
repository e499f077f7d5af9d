import { textAt } from '@kopeck/core/json';
import { recordIn } from '../answers.ts';
import { PanelError } from '../port.ts';
import {
  bodyOf,
  kindOfStatus,
  type PanelAnswer,
  type PanelRequest,
  type Send,
} from '../request.ts';
import type { ThreeXUiConfig } from './config.ts';

/** `cookie`: up to 2.9. `csrf`: 3.0. `clients`: from 3.1 on, with paths of their own for clients. */
export type Generation = 'cookie' | 'csrf' | 'clients';

export interface Session {
  readonly headers: Readonly<Record<string, string>>;
  readonly generation: Generation;
  /** Paths, without what they ask for, that this panel has been found not to have. */
  readonly missing: Set<string>;
}

/** The way into a panel, and what is asked inside. */
export interface Door {
  readonly ask: (
    path: string,
    headers: HeaderTexts,
    rest: Omit<PanelRequest, 'url' | 'headers'>,
  ) => Promise<PanelAnswer>;
  readonly login: (signal: AbortSignal) => Promise<Session>;
  readonly isLetIn: (session: Session, signal: AbortSignal) => Promise<boolean>;
}

type HeaderTexts = Readonly<Record<string, string>>;

/** What a panel of each generation answers to whoever is let in, however many clients it has. */
const PAGED = '/panel/api/clients/list/paged?page=1&pageSize=1';
const NOBODY = '/panel/api/inbounds/getClientTraffics/nobody';
const SMALL: Readonly<Record<Generation, string>> = {
  cookie: NOBODY,
  csrf: NOBODY,
  clients: PAGED,
};

/**
 * Panels answer a stranger with an empty 404 (401 only when the request says it is a script's), which
 * is also how they answer for a path that they do not have: the generation is therefore probed right
 * after the login, and a 404 of a path that the generation has is a session that has ended.
 */
export function openDoor(config: ThreeXUiConfig, send: Send): Door {
  const { url, token } = config;
  const ask: Door['ask'] = (path, headers, rest) => {
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
    const missing = new Set<string>();
    const paged = await ask(PAGED, headers, { signal });
    if (paged.status === 200 && !isStrangers(paged))
      return { headers, generation: 'clients', missing };
    const small = await ask(NOBODY, headers, { signal });
    if (small.status === 404) throw new PanelError('auth');
    bodyOf(small);
    return { headers, generation: isThird ? 'csrf' : 'cookie', missing };
  }

  async function isLetIn({ headers, generation }: Session, signal: AbortSignal): Promise<boolean> {
    const answer = await ask(SMALL[generation], headers, { signal });
    if (isStrangers(answer)) return false;
    bodyOf(answer);
    return true;
  }

  return { ask, login, isLetIn };
}

/** Also a login page or a way to it. */
export function isStrangers({ status, data }: PanelAnswer): boolean {
  const isDoor = [301, 302, 303, 307, 401, 403, 404].includes(status);
  return isDoor || data.subarray(0, 64).toString().trimStart().startsWith('<');
}

function cookieOf(answer: PanelAnswer): string {
  const [, pair = ''] = /((?:3x-ui|session)=[^;,]+)/.exec(answer.header('set-cookie')) ?? [];
  if (pair === '')
    throw new PanelError(answer.status === 200 ? 'protocol' : kindOfStatus(answer.status));
  return pair;
}
