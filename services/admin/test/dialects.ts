import { HIDDIFY_ADMIN_PATH, HIDDIFY_CLIENT_PATH } from '@kopeck/sandbox/panel/dialects/hiddify';
import type { PanelServer } from '@kopeck/sandbox/panel/servers';
import type { Subscriber } from '@kopeck/sandbox/panel/subscribers';
import type { PanelConfig } from '../src/panels/open-panels.ts';
import type { PanelRef } from '../src/panels/port.ts';

export const LOGIN = { username: 'operator', password: 'panel-password-0123' };
export const TOKEN = 'panel-api-token-0123456789';
const UUID = '5b1f6e2a-7c0d-4f3b-9a41-2d9c8e70b615';

/** One dialect: the double's server, how we are told of it, and who lives there. */
export interface DialectCase {
  readonly name: string;
  readonly server: PanelServer;
  readonly config: (origin: string) => PanelConfig;
  readonly ref: PanelRef;
  readonly subscriber: Subscriber;
}

type About = Omit<DialectCase, 'name' | 'server' | 'subscriber' | 'ref'> & {
  readonly externalId?: string;
  readonly subscriptionId?: string;
};

function dialect(kind: PanelServer['kind'], version: string, about: About): DialectCase {
  const id = `${kind}-${version}`.replaceAll('.', '-');
  const { externalId = 'tg10042_p7', subscriptionId } = about;
  const ids = subscriptionId === undefined ? {} : { subscriptionId };
  return {
    name: `${kind} ${version}`,
    server: { id, kind, version, ...LOGIN, token: TOKEN },
    config: (origin) => ({ ...about.config(`${origin}/panel/${id}`), perSecond: 1_000 }),
    ref: { serverId: id, externalId, ...ids },
    subscriber: {
      server: id,
      externalId,
      uuid: UUID,
      ...ids,
      links: [`vless://${UUID}@de1.vpn-fixture.test:443?type=tcp&sni=a.test#DE`],
    },
  };
}

const threeXUi = (url: string, rest: typeof LOGIN): PanelConfig => ({
  kind: '3x-ui',
  url,
  subscriptionUrl: `${url}/sub-port/sub`,
  ...rest,
});

export const DIALECTS: readonly DialectCase[] = [
  dialect('3x-ui', '2.8.11', { config: (url) => threeXUi(url, LOGIN) }),
  dialect('3x-ui', '3.0.1', { config: (url) => threeXUi(url, LOGIN) }),
  dialect('3x-ui', '3.0.2', { config: (url) => threeXUi(url, LOGIN) }),
  dialect('3x-ui', '3.6.0', { config: (url) => threeXUi(url, LOGIN) }),
  dialect('marzban', '0.8.4', { config: (url) => ({ kind: 'marzban', url, ...LOGIN }) }),
  dialect('pasarguard', '5.2.1', { config: (url) => ({ kind: 'pasarguard', url, ...LOGIN }) }),
  dialect('remnawave', '2.8.1', {
    config: (url) => ({ kind: 'remnawave', url, token: TOKEN }),
    externalId: UUID,
    subscriptionId: 'pQ7wZ2kLm9Xc4VbN',
  }),
  // As the purchase was made in the days of 2.x: by a uuid, which 3.x does not know.
  dialect('remnawave', '3.3.2', {
    config: (url) => ({ kind: 'remnawave', url, token: TOKEN }),
    externalId: UUID,
    subscriptionId: 'pQ7wZ2kLm9Xc4VbN',
  }),
  dialect('hiddify', '10.80.0', {
    config: (url) => ({
      kind: 'hiddify',
      url,
      token: TOKEN,
      adminPath: HIDDIFY_ADMIN_PATH,
      clientPath: HIDDIFY_CLIENT_PATH,
    }),
    externalId: UUID,
  }),
];
