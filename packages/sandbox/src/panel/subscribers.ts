import { createHash, randomBytes, randomUUID } from 'node:crypto';

/** One buyer's configs on one server, as a knob or a test says it. What is left out is invented. */
export interface Subscriber {
  readonly server: string;
  /** The e-mail of 3x-ui, the username of Marzban and Remnawave, the uuid of Hiddify. */
  readonly externalId: string;
  readonly links: readonly string[];
  /** The password, where the protocol has one. */
  readonly uuid?: string;
  /** What 3x-ui calls a client by depends on it; `vless` unless said otherwise. */
  readonly protocol?: 'vless' | 'trojan' | 'shadowsocks';
  /** 3x-ui's subId, Remnawave's shortUuid. */
  readonly subscriptionId?: string;
  readonly enabled?: boolean;
  readonly usedBytes?: number;
  readonly limitBytes?: number;
}

/** What a panel keeps of a subscriber. */
export interface User {
  readonly server: string;
  readonly externalId: string;
  /** Remnawave's number. */
  readonly id: number;
  uuid: string;
  readonly protocol: NonNullable<Subscriber['protocol']>;
  subscriptionId: string;
  links: readonly string[];
  enabled: boolean;
  usedBytes: number;
  limitBytes: number;
  /** Seconds, of the last revocation. */
  revokedAt: number;
}

export interface Users {
  readonly put: (subscriber: Subscriber) => User;
  /** The first of this server for which it is true. */
  readonly find: (server: string, is: (user: User) => boolean) => User | undefined;
  readonly all: (server: string) => readonly User[];
  /** Another subscription id and, with credentials, another uuid; the links carry them. */
  readonly reissue: (user: User, credentials: boolean) => void;
  readonly clear: () => void;
}

export function createUsers(): Users {
  const users = new Map<string, User>();

  const all = (server: string): readonly User[] =>
    [...users.values()].filter((user) => user.server === server);
  return {
    put(subscriber) {
      const { server, externalId } = subscriber;
      const key = JSON.stringify([server, externalId]);
      const known = users.get(key);
      const user = { ...(known ?? invent(key, users.size + 1, subscriber)), ...subscriber } as User;
      users.set(key, user);
      return user;
    },
    find: (server, is) => all(server).find(is),
    all,
    reissue(user, credentials) {
      user.subscriptionId = randomBytes(8).toString('hex');
      if (!credentials) return;
      const before = user.uuid;
      user.uuid = randomUUID();
      user.links = user.links.map((link) => link.replaceAll(before, user.uuid));
    },
    clear: () => users.clear(),
  };
}

/** The same for the same subscriber, so that a test can be read again. */
function invent(key: string, id: number, { server, externalId, links }: Subscriber): User {
  const hex = createHash('sha256').update(key).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
  ];
  return {
    server,
    externalId,
    id: 48_000 + id,
    uuid: [...parts, hex.slice(20, 32)].join('-'),
    protocol: 'vless',
    subscriptionId: hex.slice(32, 48),
    links,
    enabled: true,
    usedBytes: 1_288_490_188,
    limitBytes: 53_687_091_200,
    revokedAt: 0,
  };
}

/** What subscription addresses of all panels give: Base64 of lines. */
export function subscriptionText(links: readonly string[], isTruncated = false): string {
  const text = Buffer.from(links.map((link) => `${link}\n`).join('')).toString('base64');
  return isTruncated ? text.slice(0, 13) : text;
}
