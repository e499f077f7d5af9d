import express, { Router, type RequestHandler } from 'express';
import Joi from 'joi';
import { checked } from '../checked.ts';
import type { Double, OpenDouble } from '../double.ts';
import { hiddifyDialect } from './dialects/hiddify.ts';
import { marzbanDialect } from './dialects/marzban.ts';
import { remnawaveDialect } from './dialects/remnawave.ts';
import { sandboxDialect } from './dialects/sandbox.ts';
import { threeXUiDialect } from './dialects/three-x-ui.ts';
import { createFaults, faultSchema, type Fault } from './faults.ts';
import {
  KINDS,
  speak,
  type Dialect,
  type DialectContext,
  type PanelKind,
  type PanelServer,
} from './servers.ts';
import { createUsers, type Subscriber } from './subscribers.ts';

export interface PanelOptions {
  /** Whoever asks a server of the kind `sandbox` must show it as a bearer. */
  readonly token: string;
  readonly subscribers: readonly Subscriber[];
  readonly servers?: readonly PanelServer[];
}

/** A request that the sandbox's own kind of panel saw, whatever it was answered. */
export interface Seen {
  readonly server: string;
  readonly externalId: string;
}

/** Any request: no query, no header, no body, so that no secret is in it. */
export interface Logged {
  readonly server: string;
  readonly method: string;
  readonly path: string;
}

const text = Joi.string().required();
const subscriberSchema = Joi.object<Subscriber>({
  server: text,
  externalId: text,
  links: Joi.array().items(Joi.string()).required(),
  uuid: Joi.string(),
  protocol: Joi.valid('vless', 'trojan', 'shadowsocks'),
  subscriptionId: Joi.string(),
  enabled: Joi.boolean(),
  usedBytes: Joi.number().integer(),
  limitBytes: Joi.number().integer(),
});
const serverSchema = Joi.object<PanelServer>({
  id: text,
  kind: Joi.valid(...KINDS).required(),
  version: Joi.string().default('0'),
  username: Joi.string().default(''),
  password: Joi.string().default(''),
  token: Joi.string().default(''),
});
const advanceSchema = Joi.object<{ seconds: number }>({
  seconds: Joi.number().integer().required(),
});

/**
 * VPN panels: `/panel/{server}/…` speaks the dialect of that server's kind and version. Knobs: POST
 * servers, subscribers, faults and advance (the panels' clock); GET requests, log and most (by server:
 * how many requests were under way there at once).
 */
export function openPanel({ token, subscribers, servers = [] }: PanelOptions): OpenDouble {
  return ({ now }): Double => {
    const users = createUsers();
    const known = new Map<string, PanelServer>();
    const records: Records = { seen: [], log: [], load: new Map() };
    const clock = { aheadMs: 0, now: (): number => now().getTime() + clock.aheadMs };
    const faults = createFaults(clock.now);
    const context = { users, now: clock.now };
    const dialects = openDialects(context);

    function reset(): void {
      clock.aheadMs = 0;
      for (const list of [records.seen, records.log]) list.length = 0;
      for (const forgotten of [faults, users, known, records.load]) forgotten.clear();
      for (const dialect of Object.values(dialects)) dialect.reset();
      for (const server of servers) known.set(server.id, server);
      for (const subscriber of subscribers) users.put(subscriber);
    }
    reset();

    const serverOf = (id: string): PanelServer =>
      known.get(id) ?? { id, kind: 'sandbox', version: '0', username: '', password: '', token };
    const router = Router();
    const bodies = [express.json(), express.urlencoded({ extended: false })];
    router.use('/:server', recordIn(records, known), faults.handler, ...bodies);
    router.use('/:server', (request, response) => {
      const server = serverOf(request.params.server);
      const fault = (response.locals as { fault?: Fault['fault'] }).fault;
      speak(dialects[server.kind], { ...context, server, request, response, fault, key: '' });
    });

    const controls = controlsOf(records);
    controls.post('/faults', checked(faultSchema, faults.set));
    controls.post(
      '/servers',
      checked(serverSchema, (server) => keep(known, server)),
    );
    controls.post('/subscribers', checked(subscriberSchema, users.put));
    controls.post(
      '/advance',
      checked(advanceSchema, ({ seconds }) => ({ aheadMs: (clock.aheadMs += seconds * 1_000) })),
    );
    const close = async (): Promise<void> => faults.clear();
    return { name: 'panel', prefix: '/panel', router, controls, reset, close };
  };
}

function openDialects(context: DialectContext): Readonly<Record<PanelKind, Dialect>> {
  const marzban = marzbanDialect();
  return {
    sandbox: sandboxDialect,
    '3x-ui': threeXUiDialect(context),
    marzban,
    pasarguard: marzban,
    remnawave: remnawaveDialect,
    hiddify: hiddifyDialect,
  };
}

interface Load {
  open: number;
  most: number;
}

interface Records {
  readonly seen: Seen[];
  readonly log: Logged[];
  readonly load: Map<string, Load>;
}

function recordIn(
  { seen, log, load }: Records,
  known: ReadonlyMap<string, PanelServer>,
): RequestHandler<{ server: string }> {
  return ({ params: { server }, path, method }, response, next) => {
    const { open, most } = load.get(server) ?? { open: 0, most: 0 };
    const now: Load = { open: open + 1, most: Math.max(most, open + 1) };
    load.set(server, now);
    response.once('close', () => leave(load, server));
    const [, externalId] = /^\/sub\/([^/]+)$/.exec(path) ?? [];
    if (!known.has(server) && externalId !== undefined)
      seen.push({ server, externalId: decodeURIComponent(externalId) });
    log.push({ server, method, path });
    next();
  };
}

function leave(load: Map<string, Load>, server: string): void {
  const { open, most } = load.get(server) ?? { open: 1, most: 1 };
  load.set(server, { open: open - 1, most });
}

function controlsOf({ seen, log, load }: Records): Router {
  const router = Router();
  router.get('/most', (_request, response) => {
    response.json(Object.fromEntries([...load].map(([server, { most }]) => [server, most])));
  });
  router.get('/requests', (_request, response) => void response.json(seen));
  router.get('/log', (_request, response) => void response.json(log));
  return router;
}

function keep(known: Map<string, PanelServer>, server: PanelServer): object {
  known.set(server.id, server);
  return { id: server.id, kind: server.kind, version: server.version };
}
