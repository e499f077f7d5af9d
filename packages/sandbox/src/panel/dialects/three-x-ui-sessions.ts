import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { fieldsOf, isFrom, type Call, type PanelServer } from '../servers.ts';
import { isEqual } from './sandbox.ts';

const MAX_AGE_MS = 360 * 60_000;
const BAD_LOGINS = 5;
const BAD_LOGINS_WITHIN_MS = 5 * 60_000;
const BLOCKED_MS = 15 * 60_000;

interface Session {
  readonly csrf: string;
  /** When the session ends: its age does not slide. 0: nobody has logged in. */
  endsAt: number;
}

export interface Sessions {
  readonly csrfToken: (call: Call) => void;
  readonly login: (call: Call) => void;
  /** False: answered already, with a 404 (or 401, or 403) as the panel does. */
  readonly allows: (call: Call) => boolean;
  readonly reset: () => void;
}

/** Cookies, and CSRF tokens from 3.0 on. */
export function createSessions(now: () => number): Sessions {
  const sessions = new Map<string, Session>();
  const lockOut = createLockOut(now);

  function open(response: Response, session: Session): void {
    const id = randomBytes(12).toString('hex');
    sessions.set(id, session);
    response.set('Set-Cookie', `3x-ui=${id}; Path=/; HttpOnly`);
  }

  function find(request: Request): Session | undefined {
    const [, id = ''] = /(?:^|;\s*)3x-ui=([^;]+)/.exec(request.get('cookie') ?? '') ?? [];
    return sessions.get(id);
  }

  function hasCsrf({ server, request }: Call): boolean {
    if (!isFrom(server.version, '3.0.0')) return true;
    const given = request.get('x-csrf-token');
    return given !== undefined && given === find(request)?.csrf;
  }

  return {
    csrfToken({ request, response }) {
      const csrf = randomBytes(12).toString('hex');
      open(response, { csrf, endsAt: find(request)?.endsAt ?? 0 });
      response.json({ success: true, msg: '', obj: csrf });
    },
    login(call) {
      const { server, request, response } = call;
      if (!hasCsrf(call)) return void response.status(403).end();
      const isRight = lockOut.accepts(server, fieldsOf(request));
      if (isRight) open(response, { csrf: find(request)?.csrf ?? '', endsAt: now() + MAX_AGE_MS });
      const msg = isRight ? 'Login Successful' : 'Invalid username or password';
      response.json({ success: isRight, msg, obj: null });
    },
    allows(call) {
      const { request, response, fault } = call;
      if (isBearer(call)) return true;
      const session = find(request);
      if (session !== undefined && fault === 'expireSession') session.endsAt = 0;
      const isOpen = session !== undefined && session.endsAt > now();
      if (isOpen && (request.method === 'GET' || hasCsrf(call))) return true;
      response.status(isOpen ? 403 : statusForStrangers(call)).end();
      return false;
    },
    reset() {
      sessions.clear();
      lockOut.reset();
    },
  };
}

function isBearer({ server: { version, token }, request }: Call): boolean {
  return isFrom(version, '3.0.0') && isEqual(request.get('authorization') ?? '', `Bearer ${token}`);
}

function statusForStrangers({ server, request }: Call): number {
  const isAsked = request.get('x-requested-with') === 'XMLHttpRequest';
  return isAsked && isFrom(server.version, '3.0.2') ? 401 : 404;
}

/** From 3.0 on: five bad logins close the door for a while, and the right password looks wrong then. */
function createLockOut(now: () => number): {
  readonly accepts: (server: PanelServer, fields: Readonly<Record<string, unknown>>) => boolean;
  readonly reset: () => void;
} {
  const failures = new Map<string, { times: number[]; blockedUntil: number }>();
  return {
    accepts(server, { username, password }) {
      const { times, blockedUntil } = failures.get(server.id) ?? { times: [], blockedUntil: 0 };
      if (isFrom(server.version, '3.0.0') && blockedUntil > now()) return false;
      if (username === server.username && password === server.password) {
        failures.delete(server.id);
        return true;
      }
      const recent = [...times.filter((at) => at > now() - BAD_LOGINS_WITHIN_MS), now()];
      const until = recent.length >= BAD_LOGINS ? now() + BLOCKED_MS : blockedUntil;
      failures.set(server.id, { times: recent, blockedUntil: until });
      return false;
    },
    reset: () => failures.clear(),
  };
}
