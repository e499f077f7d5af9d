import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const FOLDER = join(import.meta.dirname, '..', '..', 'traefik');

export interface Router {
  readonly entryPoints: readonly string[];
  readonly rule: string;
  readonly priority: number;
  readonly service: string;
  readonly middlewares?: readonly string[];
  readonly observability?: { readonly accessLogs?: boolean };
}

export interface Dynamic {
  readonly routers: Readonly<Record<string, Router>>;
  readonly services: Readonly<Record<string, object>>;
  readonly middlewares: Readonly<Record<string, object>>;
}

export function readStatic(): Record<string, unknown> {
  return parse(readFileSync(join(FOLDER, 'traefik.yml'), 'utf8')) as Record<string, unknown>;
}

export function readDynamic(): Dynamic {
  const parts = readdirSync(join(FOLDER, 'dynamic')).map((name) => {
    const text = readFileSync(join(FOLDER, 'dynamic', name), 'utf8');
    return (parse(text) as { http: Partial<Dynamic> }).http;
  });
  const merged = (kind: keyof Dynamic): object => Object.assign({}, ...parts.map((p) => p[kind]));
  return {
    routers: merged('routers') as Dynamic['routers'],
    services: merged('services') as Dynamic['services'],
    middlewares: merged('middlewares') as Dynamic['middlewares'],
  };
}

/** Of the little that our rules are made of; throws on anything else. */
export function matches(rule: string, path: string): boolean {
  return rule.split(' || ').some((part) => {
    const [, matcher, text = ''] = /^(Path|PathPrefix|PathRegexp)\(`([^`]+)`\)$/.exec(part) ?? [];
    if (matcher === 'Path') return path === text;
    if (matcher === 'PathPrefix') return path.startsWith(text);
    if (matcher === 'PathRegexp') return new RegExp(text).test(path);
    throw new Error(`a rule that the test cannot read: ${part}`);
  });
}

/** The name of the router that Traefik would take, or null. */
export function routerFor({ routers }: Dynamic, path: string, entryPoint: string): string | null {
  const plain = path
    .replace(/\?.*/, '')
    .replaceAll(/%([0-9A-F]{2})/gi, (all, hex: string) => unreserved(hex) ?? all);
  const [first] = Object.entries(routers)
    .filter(([, router]) => router.entryPoints.includes(entryPoint) && matches(router.rule, plain))
    .sort(([, a], [, b]) => b.priority - a.priority);
  return first?.[0] ?? null;
}

/** As Traefik since 3.4.1: `%63` is a `c` before any rule is asked. */
function unreserved(hex: string): string | null {
  const character = String.fromCodePoint(Number.parseInt(hex, 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : null;
}
