import {
  fieldsOf,
  isFrom,
  type Call,
  type Dialect,
  type DialectContext,
  type PanelServer,
  type Route,
} from '../servers.ts';
import type { User } from '../subscribers.ts';
import { linksOf, sendSubscription } from './sandbox.ts';
import { createSessions } from './three-x-ui-sessions.ts';

type Answer = (call: Call) => object;

/**
 * 3x-ui in its three generations: up to 2.9 (cookie), 3.0 (CSRF or token), from 3.1 (`clients/*`).
 * Mistakes of business are a 200 with `success: false`; the subscription server is another listener,
 * here `/sub-port/sub/{subId}`.
 */
export function threeXUiDialect({ now }: DialectContext): Dialect {
  const sessions = createSessions(now);
  const api = (method: Route['method'], path: RegExp, of: Answer, since = '0'): Route => ({
    method,
    path,
    since,
    guard: sessions.allows,
    answer: (call) => {
      const isLocked = call.fault === 'lockedDb';
      call.response.json(isLocked ? no('Something went wrong (database is locked)') : of(call));
    },
  });
  return {
    reset: sessions.reset,
    otherwise: (call) => {
      const isApi = call.request.path.startsWith('/panel/api/');
      if (!isApi || sessions.allows(call)) call.response.status(404).end();
    },
    routes: [
      { method: 'GET', path: /^\/sub-port\/sub\/([^/]+)$/, answer: subscription },
      { method: 'GET', path: /^\/csrf-token$/, since: '3.0.0', answer: sessions.csrfToken },
      { method: 'POST', path: /^\/login$/, answer: sessions.login },
      api('GET', /^\/panel\/api\/clients\/list\/paged$/, () => yes({ clients: [] }), '3.1.0'),
      api('GET', /^\/panel\/api\/clients\/get\/([^/]+)$/, client, '3.1.0'),
      api('GET', /^\/panel\/api\/clients\/subLinks\/([^/]+)$/, subLinks, '3.1.0'),
      api('POST', /^\/panel\/api\/clients\/update\/([^/]+)$/, update, '3.1.0'),
      api('GET', /^\/panel\/api\/inbounds\/list$/, inbounds),
      api('GET', /^\/panel\/api\/inbounds\/getSubLinks\/([^/]+)$/, subLinks, '3.0.2'),
      api('GET', /^\/panel\/api\/inbounds\/getClientTraffics\/([^/]+)$/, traffic),
      api('POST', /^\/panel\/api\/inbounds\/updateClient\/([^/]+)$/, update),
    ],
  };
}

function subscription(call: Call): void {
  const { users, server, key, response } = call;
  const user = users.find(server.id, (each) => each.subscriptionId === key && each.enabled);
  if (user !== undefined) return sendSubscription(call, user);
  if (isFrom(server.version, '3.1.0')) response.status(404).end();
  else response.status(400).send('Error!');
}

function client({ users, server, key }: Call): object {
  const user = users.find(server.id, ({ externalId }) => externalId === key);
  if (user === undefined) return no('Obtain (record not found)');
  const usedTraffic = user.usedBytes;
  return yes({ client: asClient(user), inboundIds: [1], externalLinks: [], usedTraffic });
}

function subLinks(call: Call): object {
  const { users, server, key } = call;
  const user = users.find(server.id, (each) => each.subscriptionId === key && each.enabled);
  return yes(user === undefined ? [] : linksOf(call, user));
}

function traffic({ users, server, key }: Call): object {
  const user = users.find(server.id, ({ externalId }) => externalId === key);
  if (user === undefined) return yes(null);
  const { enabled: enable, usedBytes: down, limitBytes: total } = user;
  return yes({ email: user.externalId, enable, up: 0, down, total, expiryTime: 0 });
}

/** `settings` is text in old panels and an object in new ones; one inbound a protocol. */
function inbounds({ users, server }: Call): object {
  const isNew = isFrom(server.version, '3.1.0');
  const byProtocol = Map.groupBy(users.all(server.id), ({ protocol }) => protocol);
  return yes(
    [...byProtocol].map(([protocol, clients], index) => {
      const settings = { clients: clients.map(asClient) };
      return { id: index + 1, protocol, settings: isNew ? settings : JSON.stringify(settings) };
    }),
  );
}

/** Replaces the whole client. New panels call it by its e-mail, old ones by what its protocol has. */
function update({ users, server, request, key }: Call): object {
  const wanted = clientIn(fieldsOf(request), server);
  const isNew = isFrom(server.version, '3.1.0');
  const user = users.find(server.id, (each) => key === (isNew ? each.externalId : keyOf(each)));
  if (user === undefined || wanted === null) return no('empty client ID');
  const uuid = String(wanted[credentialOf(user)]);
  user.links = user.links.map((link) => link.replaceAll(user.uuid, uuid));
  user.uuid = uuid;
  user.subscriptionId = String(wanted['subId']);
  return yes(null);
}

type Fields = Readonly<Record<string, unknown>>;

function clientIn(fields: Fields, { version }: PanelServer): Fields | null {
  if (isFrom(version, '3.1.0')) return fields['subId'] === undefined ? null : fields;
  const { clients } = JSON.parse(String(fields['settings'])) as { clients?: readonly Fields[] };
  return clients?.[0] ?? null;
}

function keyOf({ protocol, externalId, uuid }: User): string {
  return protocol === 'shadowsocks' ? externalId : uuid;
}

/** Trojan and Shadowsocks have a password where the others have a uuid. */
function credentialOf({ protocol }: User): 'password' | 'id' {
  return protocol === 'vless' ? 'id' : 'password';
}

function asClient(user: User): Fields {
  return {
    [credentialOf(user)]: user.uuid,
    email: user.externalId,
    subId: user.subscriptionId,
    enable: user.enabled,
    totalGB: user.limitBytes,
    expiryTime: 1_785_974_400_000,
    limitIp: 2,
    tgId: 0,
    flow: 'xtls-rprx-vision',
    comment: '',
  };
}

function yes(obj: unknown): object {
  return { success: true, msg: '', obj };
}

function no(msg: string): object {
  return { success: false, msg, obj: null };
}
