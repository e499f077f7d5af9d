import type { RequestHandler, Response } from 'express';
import { isOneOf } from '@kopeck/runtime/body';
import { unauthorised, type AdminAnswer } from './answers.ts';

/** Asked anew for each request, so that a key can be replaced while the service runs. */
export type ApiKeys = () => readonly string[];

export interface AuthoriseOptions {
  readonly apiKeys: ApiKeys;
  readonly now: () => Date;
  /** Basic is for people with a browser: any user name, and the key as the password. */
  readonly scheme?: 'Bearer' | 'Basic';
}

const WRONG_KEYS = 20;
const WINDOW_MS = 10 * 60_000;
/** Of addresses that are remembered: somebody with many of them must not fill our memory. */
const MOST_ADDRESSES = 10_000;

interface Failures {
  count: number;
  readonly until: number;
}

/**
 * The key of the admin API, in constant time. Whoever has shown too many wrong ones is told to come
 * later, with whatever key: a right guess must look like a wrong one by then.
 */
export function authorise({ apiKeys, now, scheme = 'Bearer' }: AuthoriseOptions): RequestHandler {
  const failures = new Map<string, Failures>();

  function recent(address: string): Failures {
    const at = now().getTime();
    const known = failures.get(address);
    if (known !== undefined && known.until > at) return known;
    return { count: 0, until: at + WINDOW_MS };
  }

  return (request, response, next) => {
    const address = request.ip ?? '';
    const found = recent(address);
    if (found.count >= WRONG_KEYS) {
      const seconds = Math.ceil((found.until - now().getTime()) / 1_000);
      return send(response, tooManyFailures(seconds));
    }
    const given = keyIn(request.get('authorization') ?? '', scheme);
    if (isOneOf(given, apiKeys())) return next();

    found.count += 1;
    if (failures.size >= MOST_ADDRESSES) failures.clear();
    failures.set(address, found);
    response.set('WWW-Authenticate', CHALLENGE[scheme]);
    send(response, unauthorised(given !== ''));
  };
}

const CHALLENGE = { Bearer: 'Bearer', Basic: 'Basic realm="Kopeck", charset="UTF-8"' } as const;

function keyIn(header: string, scheme: 'Bearer' | 'Basic'): string {
  const [, named = '', given = ''] = /^(Bearer|Basic) (.+)$/i.exec(header) ?? [];
  if (named.toLowerCase() !== scheme.toLowerCase()) return '';
  if (scheme === 'Bearer') return given;
  const [, password = ''] = /:(.*)$/s.exec(Buffer.from(given, 'base64').toString()) ?? [];
  return password;
}

function tooManyFailures(seconds: number): AdminAnswer {
  return {
    status: 429,
    headers: { 'Retry-After': String(seconds) },
    body: { error: 'too_many_failures' },
    text: 'Too many failed attempts',
  };
}

/** JSON, unless plain text is what the caller asks for. */
export function send(response: Response, { status, headers = {}, body, text }: AdminAnswer): void {
  response.status(status).set('Cache-Control', 'no-store').set(headers);
  if (response.req.accepts(['json', 'text/plain']) === 'text/plain') {
    response.type('text/plain').send(text);
  } else {
    response.json(body);
  }
}
