import { fieldsOf, isFrom, type Call, type Dialect } from '../servers.ts';
import type { User } from '../subscribers.ts';
import { isEqual, linksOf } from './sandbox.ts';

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * Remnawave 2.x (users by uuid) and 3.x (by number). A request that did not come through a proxy over
 * https has its socket destroyed; success is `{"response": …}`.
 */
export const remnawaveDialect: Dialect = {
  reset: () => undefined,
  enter({ request }) {
    const hasProxy = request.get('x-forwarded-for') !== undefined;
    if (hasProxy && request.get('x-forwarded-proto') === 'https') return true;
    request.socket.destroy();
    return false;
  },
  otherwise: ({ request }) => void request.socket.destroy(),
  routes: [
    { method: 'GET', path: /^\/api\/sub\/([^/]+)\/info$/, answer: info },
    {
      method: 'GET',
      path: /^\/api\/subscriptions\/connection-keys\/(\d+)$/,
      since: '3.0.0',
      guard: isAllowed,
      answer: (call) =>
        withUser(call, 'id', (user) => ({
          enabledKeys: linksOf(call, user),
          hiddenKeys: [],
          disabledKeys: [],
        })),
    },
    {
      method: 'GET',
      path: /^\/api\/users\/by-username\/([^/]+)$/,
      guard: isAllowed,
      answer: (call) => withUser(call, 'externalId', (user) => asUser(call, user)),
    },
    {
      method: 'GET',
      path: /^\/api\/users\/by-short-uuid\/([^/]+)$/,
      guard: isAllowed,
      answer: (call) => withUser(call, 'subscriptionId', (user) => asUser(call, user)),
    },
    {
      method: 'GET',
      path: /^\/api\/users\/([^/]+)$/,
      guard: isKeyRight,
      answer: (call) => withUser(call, ownKey(call), (user) => asUser(call, user)),
    },
    {
      method: 'POST',
      path: /^\/api\/users\/([^/]+)\/actions\/revoke$/,
      guard: isKeyRight,
      answer: (call) =>
        withUser(call, ownKey(call), (user) => {
          const before = user.subscriptionId;
          call.users.reissue(user, true);
          const isKept = fieldsOf(call.request)['revokeOnlyPasswords'] === true;
          if (isKept) user.subscriptionId = before;
          return asUser(call, user);
        }),
    },
  ],
};

function isAllowed(call: Call): boolean {
  const { server, request, response, fault } = call;
  if (!isEqual(request.get('authorization') ?? '', `Bearer ${server.token}`)) {
    fail(call, 401, { message: 'Unauthorized', errorCode: 'E401' });
  } else if (fault === 'lockedDb') {
    fail(call, 500, { message: 'Internal server error', errorCode: 'E000' });
  }
  return !response.headersSent;
}

/** A user is called by his uuid up to 2.x and by his number from 3.0 on, and by nothing else. */
function ownKey({ server }: Call): keyof User {
  return isFrom(server.version, '3.0.0') ? 'id' : 'uuid';
}

function isKeyRight(call: Call): boolean {
  if (!isAllowed(call)) return false;
  const isNumber = ownKey(call) === 'id';
  if ((isNumber ? /^\d+$/ : UUID).test(call.key)) return true;
  const expected = isNumber ? 'number' : 'uuid';
  const errors = [{ expected, code: 'invalid_type', received: 'NaN', path: ['userId'] }];
  call.response.status(400).json({ statusCode: 400, message: 'Validation failed', errors });
  return false;
}

function withUser(call: Call, field: keyof User, of: (user: User) => object): void {
  const { users, server, key, response } = call;
  const user = users.find(server.id, (each) => String(each[field]) === key);
  if (user === undefined) fail(call, 404, { message: 'User not found', errorCode: 'A025' });
  else response.json({ response: of(user) });
}

function info(call: Call): void {
  const { users, server, key, response } = call;
  const user = users.find(server.id, ({ subscriptionId }) => subscriptionId === key);
  if (user === undefined) {
    const message = 'Resource not found';
    return void response.status(404).json({ isFound: false, statusCode: 404, message });
  }
  const links = linksOf(call, user);
  const about = { isFound: true, user: { username: user.externalId }, ssConfLinks: {} };
  response.json({ response: { ...about, links, subscriptionUrl: urlOf(user) } });
}

function fail({ response, now }: Call, status: number, rest: object): void {
  const timestamp = new Date(now()).toISOString();
  response.status(status).json({ timestamp, path: response.req.originalUrl, ...rest });
}

function asUser({ server }: Call, user: User): object {
  return {
    id: user.id,
    ...(!isFrom(server.version, '3.0.0') && { uuid: user.uuid }),
    shortUuid: user.subscriptionId,
    username: user.externalId,
    status: user.enabled ? 'ACTIVE' : 'DISABLED',
    expireAt: '2026-08-06T00:00:00.000Z',
    trafficLimitBytes: user.limitBytes,
    vlessUuid: user.uuid,
    subscriptionUrl: urlOf(user),
    userTraffic: { usedTrafficBytes: user.usedBytes },
  };
}

function urlOf({ subscriptionId }: User): string {
  return `https://sub.vpn-fixture.test/${subscriptionId}`;
}
