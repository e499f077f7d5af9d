import type Joi from 'joi';
import { SERVICES } from '../suite/services.ts';
import { deploymentConfig, SET_BY_COMPOSE } from './deployment.ts';

/** One key of `.env`, as the schemas tell it. */
export interface Key {
  readonly name: string;
  /** In words of the schema: its description, else what it says when the value is wrong. */
  readonly meaning: string;
  /** As it would be written in `.env`; null where there is none. */
  readonly fallback: string | null;
  readonly isRequired: boolean;
  /** The key beside which this one is needed. */
  readonly requiredWith: string | null;
  readonly isSecret: boolean;
  readonly example: string | null;
  /** Who reads it: services by name, or `compose`. */
  readonly readers: readonly string[];
}

export interface Section {
  readonly title: string;
  readonly keys: readonly Key[];
}

const SECRET = /(TOKEN|SECRET|SECRETS|PASSWORD|API_KEY|SECRET_KEY|ENCRYPTION_KEY|STATS_KEY)$/;
/** Not one secret each, but text that holds some. */
const HOLDS_SECRETS = [
  'AFFILIATE_TOKENS',
  'SMTP_URL',
  'PANELS',
  'DATABASE_URL',
  'REDIS_URL',
  'QUEUES_REDIS_URL',
  'HEARTBEAT_URL',
  'HEARTBEAT_URL_BACKUP',
];

/** Every key of every schema once, in the order in which an operator thinks of them. */
export function sections(): readonly Section[] {
  const keys = allKeys();
  const ofCompose = keys.filter(({ readers }) => readers.includes('compose'));
  const rest = keys.filter((key) => !ofCompose.includes(key));
  const given = rest.filter(({ name }) => !isFixed(name));
  const shared = given.filter(({ readers }) => readers.length > 1);
  return [
    { title: 'This host: Compose, Traefik, MariaDB, Redis', keys: ofCompose },
    { title: 'What several services read', keys: shared },
    ...SERVICES.map(({ name }) => ({
      title: `${name} alone`,
      keys: given.filter(({ readers }) => readers.length === 1 && readers[0] === name),
    })),
    {
      title: 'Set by docker-compose.yml for each service; for those who run a service without it',
      keys: rest.filter(({ name }) => isFixed(name)),
    },
  ];
}

export function allKeys(): readonly Key[] {
  const keys = new Map<string, Key>();
  const schemas = [{ name: 'compose', schema: deploymentConfig }, ...SERVICES];
  for (const { name: reader, schema } of schemas) {
    for (const [name, described] of Object.entries(describe(schema))) {
      const key = keyOf(name, described, reader);
      const known = keys.get(name);
      keys.set(name, known === undefined ? key : merged(known, key));
    }
  }
  return [...keys.values()];
}

/** In a container, which has an address of its own, ports are nobody's choice either. */
function isFixed(name: string): boolean {
  return SET_BY_COMPOSE.has(name) || /^[A-Z]+(_METRICS)?_PORT$/.test(name);
}

interface Described {
  readonly flags?: { readonly default?: unknown; presence?: string; description?: string };
  readonly preferences?: { readonly messages?: Readonly<Record<string, string>> };
  readonly whens?: readonly { readonly ref?: { readonly path: readonly string[] } }[];
  readonly examples?: readonly unknown[];
}

function describe(schema: Joi.ObjectSchema): Readonly<Record<string, Described>> {
  return (schema.describe() as { keys: Readonly<Record<string, Described>> }).keys;
}

function keyOf(name: string, described: Described, reader: string): Key {
  const { flags = {}, whens, examples } = described;
  return {
    name,
    meaning: meaningOf(described),
    fallback: written(flags.default),
    isRequired: flags.presence === 'required',
    requiredWith: whens?.[0]?.ref?.path[0] ?? null,
    isSecret: SECRET.test(name) || HOLDS_SECRETS.includes(name),
    example: written(examples?.[0]),
    readers: [reader],
  };
}

function meaningOf({ flags, preferences }: Described): string {
  const text = flags?.description ?? preferences?.messages?.['*'] ?? '';
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What one service needs, all need: there is one `.env`. */
function merged(known: Key, other: Key): Key {
  return {
    ...known,
    isRequired: known.isRequired || other.isRequired,
    example: known.example ?? other.example,
    readers: [...known.readers, ...other.readers],
  };
}

function written(value: unknown): string | null {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) {
    return null;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
