import type { Call, Dialect } from '../servers.ts';
import type { User } from '../subscribers.ts';
import { isEqual, linksOf } from './sandbox.ts';

/** The two secret paths of every Hiddify server here. */
export const HIDDIFY_ADMIN_PATH = 'AdminPath7h2m';
export const HIDDIFY_CLIENT_PATH = 'ClientPath9x4k';

/** A key in a header: the admin's uuid on the one path, the user's own on the other. */
export const hiddifyDialect: Dialect = {
  reset: () => undefined,
  otherwise: ({ response }) => {
    response.redirect('/login');
  },
  routes: [
    {
      method: 'GET',
      path: new RegExp(`^/${HIDDIFY_ADMIN_PATH}/api/v2/admin/user/([^/]+)/$`),
      answer: admin,
    },
    {
      method: 'GET',
      path: new RegExp(`^/${HIDDIFY_CLIENT_PATH}/api/v2/user/all-configs/$`),
      answer: client,
    },
  ],
};

function admin({ server, request, response, fault, users, key }: Call): void {
  if (!isEqual(request.get('hiddify-api-key') ?? '', server.token))
    return void response.status(403).json({ message: 'Unathorized' });
  if (fault === 'lockedDb') return void response.status(500).json({ message: 'locked' });
  const user = users.find(server.id, ({ externalId }) => externalId === key);
  if (user === undefined) return void response.status(404).json({ message: 'user not found' });
  response.json({
    uuid: user.externalId,
    name: 'buyer',
    usage_limit_GB: user.limitBytes / 2 ** 30,
    current_usage_GB: user.usedBytes / 2 ** 30,
    enable: user.enabled,
    is_active: user.enabled,
  });
}

function client(call: Call): void {
  const { server, request, response, users } = call;
  const own = request.get('hiddify-api-key') ?? '';
  const user = users.find(server.id, ({ externalId }) => externalId === own);
  if (user === undefined) response.status(403).json({ message: 'Unathorized' });
  else response.json(configsOf(user, linksOf(call, user)));
}

/** Among the links of proxies the panel lists addresses of subscriptions. */
function configsOf({ externalId }: User, links: readonly string[]): readonly object[] {
  const own = `https://sub.vpn-fixture.test/${HIDDIFY_CLIENT_PATH}/${externalId}`;
  const proxy = {
    name: 'proxy',
    protocol: 'vless',
    transport: 'tcp',
    security: 'tls',
    type: 'tcp',
  };
  return [
    { name: 'Auto', domain: 'sub.vpn-fixture.test', link: `${own}/auto/`, protocol: '' },
    { name: 'Subscription link', link: `${own}/sub/?asn=unknown`, protocol: '' },
    ...links.map((link) => ({ ...proxy, link })),
  ];
}
