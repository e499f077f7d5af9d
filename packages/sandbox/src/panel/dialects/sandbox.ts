import { createHash, timingSafeEqual } from 'node:crypto';
import type { Call, Dialect } from '../servers.ts';
import { subscriptionText, type User } from '../subscribers.ts';

/** The simplest panel: `GET /sub/{externalId}` behind a bearer token. */
export const sandboxDialect: Dialect = {
  reset: () => undefined,
  otherwise: ({ response }) => void response.status(404).json({ error: 'not_found' }),
  routes: [
    {
      method: 'GET',
      path: /^\/sub\/([^/]+)$/,
      guard({ server, request, response }) {
        if (isEqual(request.get('authorization') ?? '', `Bearer ${server.token}`)) return true;
        response.status(401).json({ error: 'unauthorized' });
        return false;
      },
      answer(call) {
        const { users, server, key, response } = call;
        const user = users.find(server.id, ({ externalId }) => externalId === key);
        if (user === undefined) response.status(404).json({ error: 'not_found' });
        else sendSubscription(call, user);
      },
    },
  ],
};

/** Base64 of lines as all panels give it, with the faults that can befall it. */
export function sendSubscription(call: Call, user: User): void {
  const text = subscriptionText(linksOf(call, user), call.fault === 'truncatedBase64');
  call.response.type('text/plain').send(text);
}

export function linksOf({ fault }: Call, { links }: User): readonly string[] {
  return fault === 'emptyLinks' ? [] : links;
}

export function isEqual(given: string, wanted: string): boolean {
  return timingSafeEqual(digest(given), digest(wanted));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
