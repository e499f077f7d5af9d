import type { RequestHandler, Router } from 'express';
import { jsonBody } from '@kopeck/runtime/body';
import { HttpError, methods } from '@kopeck/runtime/http-app';
import { panelConfig, SERVER_ID, type PanelConfig } from '../panels/open-panels.ts';
import { PanelError } from '../panels/port.ts';
import { placeOf } from '../purchases-api/schema.ts';
import type { Registry } from './registry.ts';

const PATH = '/admin/servers';

export interface ServerDeps {
  readonly registry: Registry;
  /** There is a key to encrypt credentials with. Without one, none is ever taken. */
  readonly isSealable: boolean;
  readonly now: () => Date;
}

const PROBE_WITHIN_MS = 8_000;

export function addServerRoutes(
  router: Router,
  guard: RequestHandler,
  { registry, isSealable, now }: ServerDeps,
): void {
  const needsKey: RequestHandler = (_request, response, next) => {
    if (isSealable) return next();
    response.status(503).json({ error: 'not_configured', key: 'ADMIN_ENCRYPTION_KEY' });
  };
  const post = [guard, needsKey, ...jsonBody(), put(registry)];
  router.all(PATH, methods({ GET: [guard, list(registry)], POST: post }));
  router.all(`${PATH}/:id/probe`, methods({ POST: [guard, probe(registry, now)] }));
}

/** Asks the panel now, for an operator who has just added or mended it. */
function probe({ panels }: Registry, now: () => Date): RequestHandler {
  return async (request, response) => {
    const panel = panels.get(String(request.params['id']));
    if (panel === undefined) throw new HttpError(404, { error: 'server_not_found' });
    const startedAt = now().getTime();
    try {
      const version = await panel.probe(AbortSignal.timeout(PROBE_WITHIN_MS));
      response.json({ ok: true, version, latencyMs: now().getTime() - startedAt });
    } catch (error) {
      if (!(error instanceof PanelError)) throw error;
      response.status(error.kind === 'timeout' ? 504 : 502).json({ ok: false, error: error.kind });
    }
  };
}

/** No address and no credentials. */
function list({ list: servers }: Registry): RequestHandler {
  return (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ servers: servers() });
  };
}

function put(registry: Registry): RequestHandler {
  return async (request, response) => {
    const { id, ...given } = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof id !== 'string' || !SERVER_ID.test(id))
      throw new HttpError(400, { error: 'malformed', field: 'id' });
    const { value, error } = panelConfig.validate(given);
    if (error !== undefined)
      throw new HttpError(400, { error: 'malformed', field: placeOf(error) });
    if (registry.isConfigured(id)) throw new HttpError(409, { error: 'configured_elsewhere' });
    const config: PanelConfig = value;
    const isNew = await registry.put(id, config);
    response.status(isNew ? 201 : 200).json({ id, kind: config.kind, source: 'database' });
  };
}
