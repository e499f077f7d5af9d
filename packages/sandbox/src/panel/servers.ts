import type { Request, Response } from 'express';
import type { Fault } from './faults.ts';
import type { Users } from './subscribers.ts';

export const KINDS = ['sandbox', '3x-ui', 'marzban', 'pasarguard', 'remnawave', 'hiddify'] as const;
export type PanelKind = (typeof KINDS)[number];

/** One panel. A server that nobody has described is one of the kind `sandbox`. */
export interface PanelServer {
  readonly id: string;
  readonly kind: PanelKind;
  /** `2.8.11`, `3.0.2`, `3.6.0`: old panels speak otherwise than new ones. */
  readonly version: string;
  readonly username: string;
  readonly password: string;
  /** The API token of 3x-ui and Remnawave, the admin's uuid of Hiddify, the API key of PasarGuard. */
  readonly token: string;
}

/** What a dialect is made from. */
export interface DialectContext {
  readonly users: Users;
  /** Milliseconds, by the panels' clock. */
  readonly now: () => number;
}

/** One request to one panel. */
export interface Call extends DialectContext {
  readonly server: PanelServer;
  readonly request: Request;
  readonly response: Response;
  /** The fault that the dialect itself has to play, such as a user without links. */
  readonly fault: Fault['fault'] | undefined;
  /** What the path's first group holds, decoded. */
  readonly key: string;
}

/** A method and a path, what must hold first, and the answer. A guard that is false has answered. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  readonly since?: string;
  readonly guard?: (call: Call) => boolean;
  readonly answer: (call: Call) => void;
}

export interface Dialect {
  readonly routes: readonly Route[];
  /** Looks at every request before its route is sought. */
  readonly enter?: (call: Call) => boolean;
  readonly otherwise: (call: Call) => void;
  /** Forgets sessions when the sandbox is reset. */
  readonly reset: () => void;
}

/** Plays the first route that fits this method, path and version. */
export function speak(dialect: Dialect, call: Call): void {
  if (dialect.enter?.(call) === false) return;
  const route = dialect.routes.find((each) => isFor(each, call));
  if (route === undefined) return dialect.otherwise(call);

  const key = route.path.exec(call.request.path)?.[1] ?? '';
  const found = { ...call, key: decodeURIComponent(key) };
  if (route.guard?.(found) !== false) route.answer(found);
}

function isFor({ method, path, since = '0' }: Route, { request, server }: Call): boolean {
  return method === request.method && path.test(request.path) && isFrom(server.version, since);
}

/** At least this version? By numbers: 3.10 is newer than 3.9. */
export function isFrom(version: string, wanted: string): boolean {
  return version.localeCompare(wanted, 'en', { numeric: true }) >= 0;
}

/** The fields of a form or of JSON, whichever came. */
export function fieldsOf(request: Request): Readonly<Record<string, unknown>> {
  return (request.body ?? {}) as Readonly<Record<string, unknown>>;
}
