import Joi from 'joi';
import { parseJsonText } from '@kopeck/core/json';
import { csvRows } from './csv.ts';
import type { PanelRef } from '../panels/port.ts';
import { SERVER_ID } from '../panels/open-panels.ts';

/** A purchase as a caller writes it, in JSON or as a line of CSV. */
export interface PurchaseInput {
  /** None: the next free one. */
  readonly id?: string;
  readonly user?: string | null;
  readonly isActive: boolean;
  readonly expiresAt?: Date | null;
  readonly servers: readonly PanelRef[];
}

export type PurchaseChange = Partial<Omit<PurchaseInput, 'id'>>;

const id = Joi.string().pattern(/^[1-9]\d{0,18}$/);
const text = Joi.string().trim().min(1).max(255);
const servers = Joi.array()
  .items(
    Joi.object({
      serverId: Joi.string().pattern(SERVER_ID).required(),
      externalId: text.required(),
      subscriptionId: text,
    }),
  )
  .max(32)
  .unique('serverId');
const fields = {
  user: text.allow(null),
  expiresAt: Joi.date().iso().allow(null),
};

export const purchaseSchema = Joi.object<PurchaseInput>({
  id,
  ...fields,
  isActive: Joi.boolean().default(true),
  servers: servers.default([]),
});

export const changeSchema = Joi.object<PurchaseChange>({
  ...fields,
  isActive: Joi.boolean(),
  servers,
}).min(1);

/** Where a sender's input is wrong; what was given is not quoted. */
export interface Mistake {
  /** Of the import, from 1; the head of a CSV is no row. */
  readonly row: number;
  readonly field: string;
}

export interface Parsed {
  readonly purchases: readonly PurchaseInput[];
  readonly mistakes: readonly Mistake[];
}

export const MOST_ROWS = 10_000;

/** A JSON list of purchases. Null: no list, or too long a one. */
export function parseJsonImport(body: Buffer): Parsed | null {
  const list = parseJsonText(body);
  return Array.isArray(list) && list.length <= MOST_ROWS ? check(list) : null;
}

const HEAD = [
  'id',
  'user',
  'is_active',
  'expires_at',
  'server_id',
  'external_id',
  'subscription_id',
];

/**
 * CSV with a head; a purchase on several servers has a line for each, under the same id. Null: without
 * the columns id, server_id and external_id, or too long.
 */
export function parseCsvImport(body: Buffer): Parsed | null {
  const [head = [], ...rows] = csvRows(body.toString('utf8').replace(/^\uFEFF/, ''));
  const columns = head.map((name) => name.trim().toLowerCase());
  const isKnown = columns.every((name) => HEAD.includes(name));
  const hasAll = ['id', 'server_id', 'external_id'].every((name) => columns.includes(name));
  if (!isKnown || !hasAll || rows.length > MOST_ROWS) return null;

  const byId = new Map<string, Record<string, unknown> & { servers: object[] }>();
  for (const row of rows) {
    const cell = (name: string): string | undefined =>
      row[columns.indexOf(name)]?.trim() || undefined;
    const key = cell('id') ?? '';
    const known = byId.get(key) ?? {
      ...without({ id: key, user: cell('user'), expiresAt: cell('expires_at') }),
      ...without({ isActive: booleanOf(cell('is_active')) }),
      servers: [],
    };
    const { subscriptionId, ...ref } = {
      serverId: cell('server_id'),
      externalId: cell('external_id'),
      subscriptionId: cell('subscription_id'),
    };
    known.servers.push(without({ ...ref, subscriptionId }));
    byId.set(key, known);
  }
  return check([...byId.values()]);
}

function check(list: readonly unknown[]): Parsed {
  const purchases: PurchaseInput[] = [];
  const mistakes: Mistake[] = [];
  const ids = new Set<string>();
  for (const [index, given] of list.entries()) {
    const { value, error } = purchaseSchema.validate(given);
    const isRepeated = value?.id !== undefined && ids.has(value.id);
    if (error !== undefined) mistakes.push({ row: index + 1, field: placeOf(error) });
    else if (isRepeated) mistakes.push({ row: index + 1, field: 'id' });
    else purchases.push(value);
    if (value?.id !== undefined) ids.add(value.id);
  }
  return { purchases, mistakes };
}

export function placeOf({ details }: Joi.ValidationError): string {
  return details[0]?.path.join('.') ?? '';
}

/** 1 and 0 as spreadsheets write them; what is neither is left for the schema to refuse. */
function booleanOf(cell: string | undefined): string | boolean | undefined {
  if (cell === '1') return true;
  return cell === '0' ? false : cell?.toLowerCase();
}

function without(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
