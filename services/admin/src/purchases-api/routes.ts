import type { Request, RequestHandler, Router } from 'express';
import type { Pool } from 'mysql2/promise';
import { inTransaction } from '@kopeck/runtime/database';
import { jsonBody, rawBody } from '@kopeck/runtime/body';
import { HttpError, methods } from '@kopeck/runtime/http-app';
import {
  changeSchema,
  parseCsvImport,
  parseJsonImport,
  placeOf,
  purchaseSchema,
} from './schema.ts';
import { changePurchase, importPurchases, insertPurchase } from './store.ts';
import { findPurchaseView, listPurchaseViews } from './views.ts';

const PATH = '/admin/purchases';
const IMPORT_BYTES = 4 * 2 ** 20;
const PAGE = 100;

export function addPurchaseRoutes(router: Router, guard: RequestHandler, pool: Pool): void {
  const imports = [guard, rawBody(IMPORT_BYTES), importAll(pool)];
  router.all(
    PATH,
    methods({ GET: [guard, list(pool)], POST: [guard, ...jsonBody(), create(pool)] }),
  );
  router.all(`${PATH}/import`, methods({ POST: imports }));
  router.all(
    `${PATH}/:id`,
    methods({ GET: [guard, show(pool)], PATCH: [guard, ...jsonBody(), change(pool)] }),
  );
}

function create(pool: Pool): RequestHandler {
  return async (request, response) => {
    const { value, error } = purchaseSchema.validate(request.body);
    if (error !== undefined)
      throw new HttpError(400, { error: 'malformed', field: placeOf(error) });
    const id = await inTransaction(pool, (tx) => insertPurchase(tx, value));
    if (id === null) throw new HttpError(409, { error: 'purchase_exists' });
    response
      .status(201)
      .set('Location', `${PATH}/${id}`)
      .json(await findPurchaseView(pool, id));
  };
}

function list(pool: Pool): RequestHandler {
  return async (request, response) => {
    const { after = '0', user = null } = request.query;
    if (typeof after !== 'string' || !/^\d{1,19}$/.test(after))
      throw new HttpError(400, { error: 'malformed', field: 'after' });
    if (user !== null && typeof user !== 'string')
      throw new HttpError(400, { error: 'malformed', field: 'user' });
    const purchases = await listPurchaseViews(pool, { after, user, limit: PAGE });
    const next = purchases.length === PAGE ? (purchases.at(-1)?.id ?? null) : null;
    response.set('Cache-Control', 'no-store').json({ purchases, next });
  };
}

function show(pool: Pool): RequestHandler {
  return async (request, response) => {
    const view = await findPurchaseView(pool, idOf(request));
    if (view === null) throw new HttpError(404, { error: 'purchase_not_found' });
    response.set('Cache-Control', 'no-store').json(view);
  };
}

function change(pool: Pool): RequestHandler {
  return async (request, response) => {
    const id = idOf(request);
    const { value, error } = changeSchema.validate(request.body);
    if (error !== undefined)
      throw new HttpError(400, { error: 'malformed', field: placeOf(error) });
    const result = await changePurchase(pool, id, value);
    if (result === 'unknown') throw new HttpError(404, { error: 'purchase_not_found' });
    if (result === 'taken') throw new HttpError(409, { error: 'purchase_exists' });
    response.json(await findPurchaseView(pool, id));
  };
}

/** Nothing is imported while a row of it is wrong: the answer names the rows. */
function importAll(pool: Pool): RequestHandler {
  return async (request, response) => {
    const type = request.get('content-type') ?? '';
    const parse = /^text\/csv\b/i.test(type) ? parseCsvImport : parseJsonImport;
    if (parse === parseJsonImport && !/^application\/json\b/i.test(type))
      throw new HttpError(415, { error: 'unsupported_media_type' });
    const parsed = parse(request.body as Buffer);
    if (parsed === null) throw new HttpError(400, { error: 'malformed' });
    const { purchases, mistakes } = parsed;
    if (mistakes.length > 0)
      throw new HttpError(400, { error: 'rows_malformed', rows: mistakes.slice(0, PAGE) });
    response.json(await importPurchases(pool, purchases));
  };
}

function idOf({ params }: Request): string {
  const id = String(params['id']);
  if (!/^[1-9]\d{0,18}$/.test(id)) throw new HttpError(400, { error: 'invalid_purchase_id' });
  return id;
}
