import { createHmac } from 'node:crypto';
import { fieldsOf, type Call, type Dialect, type Route } from '../servers.ts';
import type { User } from '../subscribers.ts';
import { isEqual, linksOf, sendSubscription } from './sandbox.ts';

const TOKEN_SECONDS = 1_440 * 60;

/**
 * Marzban 0.8.4 and its successor PasarGuard: a token for a form, `{"detail": …}` for mistakes, and a
 * new subscription address at every answer. PasarGuard takes X-Api-Key too, and lists no links.
 */
export function marzbanDialect(): Dialect {
  const expired = new Set<string>();
  let minted = 0;

  const guard = (call: Call): boolean => {
    const { server, request, response, fault, now } = call;
    const given = (request.get('authorization') ?? '').replace(/^Bearer /i, '');
    if (fault === 'expireSession') expired.add(given);
    const hasKey =
      server.kind === 'pasarguard' && isEqual(request.get('x-api-key') ?? '', server.token);
    const isKnown = hasKey || (!expired.has(given) && isSigned(given, server.password, now()));
    if (!isKnown) response.status(401).json({ detail: 'Could not validate credentials' });
    return isKnown;
  };

  const routes: readonly Route[] = [
    { method: 'POST', path: /^\/api\/admin\/token$/, answer: (call) => login(call, (minted += 1)) },
    { method: 'GET', path: /^\/sub\/([^/]+)(?:\/[a-z0-9_-]+)?$/, answer: subscription },
    {
      method: 'GET',
      path: /^\/api\/system$/,
      guard,
      answer: ({ server: { version }, response }) => void response.json({ version }),
    },
    {
      method: 'GET',
      path: /^\/api\/users$/,
      guard,
      answer: (call) => list(call, () => (minted += 1)),
    },
    {
      method: 'GET',
      path: /^\/api\/user\/([^/]+)$/,
      guard,
      answer: (call) => withUser(call, (user) => asUser(call, user, (minted += 1))),
    },
    {
      method: 'POST',
      path: /^\/api\/user\/([^/]+)\/revoke_sub$/,
      guard,
      answer: (call) =>
        withUser(call, (user) => {
          call.users.reissue(user, true);
          return asUser(call, user, (minted += 1));
        }),
    },
  ];
  return {
    routes,
    reset: () => expired.clear(),
    otherwise: ({ response }) => void response.status(404).json({ detail: 'Not Found' }),
  };
}

function login({ server, request, response, now }: Call, n: number): void {
  const { username, password } = fieldsOf(request);
  if (!request.is('application/x-www-form-urlencoded'))
    return void response.status(422).json({ detail: { username: 'Field required' } });
  if (username !== server.username || password !== server.password)
    return void response.status(401).json({ detail: 'Incorrect username or password' });
  const exp = Math.floor(now() / 1_000) + TOKEN_SECONDS;
  const access_token = jwt({ sub: username, exp, n }, server.password);
  response.json({ access_token, token_type: 'bearer' });
}

function withUser({ users, server, key, response, fault }: Call, of: (user: User) => object): void {
  if (fault === 'lockedDb') return void response.status(500).json({ detail: 'database is locked' });
  const user = users.find(server.id, ({ externalId }) => externalId === key);
  if (user === undefined) response.status(404).json({ detail: 'User not found' });
  else response.json(of(user));
}

/** `?username=a&username=b` looks for these alone; without a limit all are rendered. */
function list(call: Call, mint: () => number): void {
  const { users, server, request, response, fault } = call;
  if (fault === 'lockedDb') return void response.status(500).json({ detail: 'database is locked' });
  const { username, limit } = request.query;
  const wanted = username === undefined ? null : [username].flat();
  const found = users
    .all(server.id)
    .filter(({ externalId }) => wanted === null || wanted.includes(externalId));
  const page = limit === undefined ? found : found.slice(0, Number(limit));
  response.json({ users: page.map((user) => asUser(call, user, mint())), total: found.length });
}

function asUser(call: Call, user: User, n: number): object {
  const { kind, id } = call.server;
  const token = Buffer.from(`${user.externalId},${n}`).toString('base64url');
  return {
    username: user.externalId,
    status: user.enabled ? 'active' : 'disabled',
    expire: 1_785_974_400,
    data_limit: user.limitBytes,
    used_traffic: user.usedBytes,
    proxies: { vless: { id: user.uuid, flow: '' } },
    ...(kind === 'marzban' && { links: linksOf(call, user) }),
    // Without a prefix in its configuration Marzban gives a relative address.
    subscription_url: `/panel/${id}/sub/${token}.${user.subscriptionId}`,
  };
}

function subscription(call: Call): void {
  const { users, server, key, response } = call;
  const user = users.find(server.id, ({ subscriptionId }) => key.endsWith(`.${subscriptionId}`));
  if (user === undefined) response.status(404).json({ detail: 'Not Found' });
  else sendSubscription(call, user);
}

function jwt(claims: object, secret: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

function isSigned(token: string, secret: string, nowMs: number): boolean {
  const [head = '', claims = '', signature = ''] = token.split('.');
  const expected = createHmac('sha256', secret).update(`${head}.${claims}`).digest('base64url');
  if (!isEqual(signature, expected)) return false;
  const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number };
  return exp * 1_000 > nowMs;
}
