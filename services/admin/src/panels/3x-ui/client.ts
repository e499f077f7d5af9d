import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { PanelError } from '../port.ts';
import { bodyOf, type Send } from '../request.ts';
import { createSession, LoggedOut } from '../session.ts';
import type { ThreeXUiConfig } from './config.ts';
import { isStrangers, openDoor, type Generation, type Session } from './door.ts';

export interface Client {
  /** Whether the panel takes our credentials, and of which generation it is. */
  readonly enter: (signal: AbortSignal) => Promise<Generation>;
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

export function createClient(config: ThreeXUiConfig, send: Send, now: () => Date): Client {
  const { ask, login, isLetIn } = openDoor(config, send);

  async function call(opened: Session, request: Call, signal: AbortSignal): Promise<Reply> {
    const { headers, generation, missing } = opened;
    const { path, body, isOptional = false } = request;
    const wanted = path(generation);
    const folder = wanted.slice(0, wanted.lastIndexOf('/'));
    if (missing.has(folder)) return { generation, obj: undefined };
    const sent = body === undefined ? {} : ({ method: 'POST', body } as const);
    const answer = await ask(wanted, headers, { ...sent, signal });
    if (!isStrangers(answer)) return { generation, obj: objOf(bodyOf(answer)) };
    // Otherwise the session is over, or the panel of another generation by now: a login probes that.
    if (!isOptional || !(await isLetIn(opened, signal))) throw new LoggedOut();
    missing.add(folder);
    return { generation, obj: undefined };
  }

  const session = createSession({ login, now });
  return {
    enter: (signal) =>
      session.use(async (opened) => {
        if (await isLetIn(opened, signal)) return opened.generation;
        throw new LoggedOut();
      }, signal),
    call: (request, signal) => session.use((opened) => call(opened, request, signal), signal),
  };
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
