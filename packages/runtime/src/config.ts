import { readFileSync } from 'node:fs';
import Joi from 'joi';

/** The operator's mistakes, all at once, each with what was expected and never with what was given. */
export class ConfigError extends Error {
  override name = 'ConfigError' as const;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Every service that speaks HTTP. */
export interface HttpConfig {
  readonly HOST: string;
  readonly TRUST_PROXY: string;
  readonly LOG_LEVEL: string;
}

/** Every service that takes partners' requests. */
export interface ReceiverConfig extends HttpConfig {
  readonly REDIS_URL: string;
  readonly REDIS_PREFIX: string;
  readonly REDIS_UNSAFE: boolean;
  readonly JOURNAL_DIR: string;
  readonly JOURNAL_MAX_BYTES: number;
  readonly JOURNAL_KEEP_HOURS: number;
  readonly FORGED_PER_MINUTE: number;
  readonly FORGED_QUIET_MINUTES: number;
}

export const httpKeys = {
  HOST: Joi.string().default('0.0.0.0').messages({ '*': 'the address to listen on' }),
  TRUST_PROXY: Joi.string()
    .default('loopback, linklocal, uniquelocal')
    .messages({ '*': 'the proxies whose X-Forwarded-For is believed, as Express writes them' }),
  LOG_LEVEL: Joi.string()
    .valid('error', 'warn', 'info', 'debug')
    .default('info')
    .description('how much is logged: error, warn, info or debug')
    .messages({ '*': 'error, warn, info or debug' }),
};

export const redisKeys = {
  REDIS_URL: Joi.string()
    .uri({ scheme: ['redis', 'rediss'] })
    .required()
    .description('where Redis is: redis://user:password@host:port/0')
    .messages({ '*': 'redis://user:password@host:port/0' }),
  REDIS_PREFIX: Joi.string()
    .pattern(/^\{[a-z0-9-]+\}$/)
    .default('{kopeck}')
    .messages({ '*': 'the prefix of all keys, a word in braces' }),
  REDIS_UNSAFE: Joi.boolean()
    .truthy('1')
    .falsy('0', '')
    .default(false)
    .messages({ '*': '1 to run on a Redis that may forget what it was told' }),
};

export const receiverKeys = {
  ...httpKeys,
  ...redisKeys,
  JOURNAL_DIR: Joi.string()
    .required()
    .description("the folder of the receiver's journal, on a disk that survives restarts")
    .messages({ '*': 'a folder on a disk that survives restarts' }),
  JOURNAL_MAX_BYTES: Joi.number()
    .integer()
    .min(65_536)
    .default(2 ** 30)
    .description(
      'the size of a journal in bytes above which new events are refused, at least 65536',
    )
    .messages({ '*': 'the size in bytes above which new events are refused, at least 65536' }),
  JOURNAL_KEEP_HOURS: Joi.number()
    .min(0)
    .default(24)
    .messages({ '*': 'for how many hours delivered events are kept, a number' }),
  FORGED_PER_MINUTE: Joi.number()
    .integer()
    .min(1)
    .default(30)
    .messages({ '*': 'how many forged deliveries of one source within a minute are mailed' }),
  FORGED_QUIET_MINUTES: Joi.number()
    .min(0)
    .default(5)
    .messages({ '*': 'after how many minutes with fewer of them that is over' }),
};

/** Whoever sends canaries, and whoever tells that they come through. */
export interface HeartbeatConfig {
  readonly HEARTBEAT_MINUTES: number;
}

export const heartbeatKeys = {
  HEARTBEAT_MINUTES: Joi.number().min(0).max(1_440).default(5).messages({
    '*': 'how many minutes lie between two canary events, and how old one may be to count; 0: none',
  }),
};

export const databaseKeys = {
  DATABASE_URL: Joi.string()
    .uri({ scheme: ['mysql', 'mariadb'] })
    .required()
    .description('where MariaDB is: mysql://user:password@host:port/database')
    .messages({ '*': 'mysql://user:password@host:port/database' }),
};

/** `what`: for docs/configuration.md. */
export function port(fallback: number, what = 'the port of its HTTP interface'): Joi.NumberSchema {
  return Joi.number().port().default(fallback).description(what).messages({ '*': 'a port number' });
}

/** A key or token of ours: long enough that nobody guesses it. Add `.required()` where it is. */
export function secretKey(what: string): Joi.StringSchema {
  return Joi.string()
    .min(32)
    .messages({ '*': `${what}: at least 32 characters` });
}

/**
 * A comma-separated list of secrets, read as a string[]: the first is current, the rest are still
 * accepted, so that a secret can be rotated without a gap.
 */
export function secretList(
  what: string,
  item: Joi.StringSchema = Joi.string().min(32),
): Joi.ArraySchema {
  const expected = `${what}; several are separated by commas, the first is current`;
  return (lists.list() as Joi.ArraySchema).items(item).min(1).messages({ '*': expected });
}

const lists = Joi.extend((joi: Joi.Root) => ({
  type: 'list',
  base: joi.array(),
  coerce: {
    from: 'string',
    method: (value: string) => ({
      value: value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    }),
  },
})) as { list: () => Joi.Schema };

/** For a rule without words of its own: Joi's quote the value, which may be a secret. */
const NOT_QUOTING = { '*': 'not as expected: see docs/configuration.md' };

/**
 * Reads the environment once, names every mistake at once, and freezes the answer. For every key X the
 * file named by X_FILE is read in its place (Docker secrets); an empty value is the same as none.
 */
export function loadConfig<T extends object>(
  schema: Joi.ObjectSchema<T>,
  env: Environment,
): Readonly<T> {
  const { given, mistakes } = readFiles(keysOf(schema), env);
  const { value, error } = schema.validate(given, {
    abortEarly: false,
    stripUnknown: true,
    messages: NOT_QUOTING,
  });
  for (const { path, message } of error?.details ?? []) {
    const key = String(path[0] ?? 'configuration');
    if (!mistakes.has(key)) mistakes.set(key, `${key}: ${message}`);
  }

  if (mistakes.size > 0) {
    const lines = [...mistakes.values()].map((mistake) => `\n  ${mistake}`);
    throw new ConfigError(`Please set in the environment:${lines.join('')}`);
  }
  return Object.freeze(value) as Readonly<T>;
}

function keysOf(schema: Joi.ObjectSchema): readonly string[] {
  return Object.keys((schema.describe() as { keys?: object }).keys ?? {});
}

function readFiles(
  keys: readonly string[],
  env: Environment,
): { given: Record<string, string>; mistakes: Map<string, string> } {
  const given: Record<string, string> = {};
  const mistakes = new Map<string, string>();
  for (const key of keys) {
    const file = env[`${key}_FILE`];
    try {
      const value =
        file === undefined || file === '' ? env[key] : readFileSync(file, 'utf8').trim();
      if (value !== undefined && value !== '') given[key] = value;
    } catch {
      mistakes.set(key, `${key}_FILE: the path of a file that this service may read`);
    }
  }
  return { given, mistakes };
}
