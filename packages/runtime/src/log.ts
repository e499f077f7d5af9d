import winston from 'winston';
import { redact, redactor } from './redact.ts';

type Meta = Readonly<Record<string, unknown>>;

/** One JSON object a line on stdout; whatever the operator reads has passed the redaction. */
export interface Log {
  readonly error: (message: string, meta?: Meta) => void;
  readonly warn: (message: string, meta?: Meta) => void;
  readonly info: (message: string, meta?: Meta) => void;
  readonly debug: (message: string, meta?: Meta) => void;
}

export interface LogOptions {
  readonly service: string;
  readonly level: string;
  /** Values that must never appear in a line, whatever key they stand under. */
  readonly secrets: readonly string[];
}

export function createLog({ service, level, secrets }: LogOptions): Log {
  const clean = redactor(secrets);
  const logger = winston.createLogger({
    level,
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format((info) => ({ ...info, ...(redact(spell(info), clean) as object) }))(),
      winston.format.json(),
    ),
    defaultMeta: { service },
    transports: [new winston.transports.Console({ stderrLevels: [] })],
  });
  const write = (severity: string) => (message: string, meta?: Meta) => {
    logger.log(severity, message, meta === undefined ? undefined : { ...meta });
  };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

/** A log that keeps silent, for tools and tests. */
export const noLog: Log = { error() {}, warn() {}, info() {}, debug() {} };

/** JSON.stringify makes `{}` of an Error; so errors are spelled out, causes included, four deep. */
function spell(value: unknown, depth = 0): unknown {
  if (value instanceof Error) return spellError(value, depth);
  if (depth > 4 || typeof value !== 'object' || value === null) {
    return typeof value === 'bigint' ? value.toString() : value;
  }
  if (Array.isArray(value)) return value.map((item) => spell(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, spell(item, depth + 1)]),
  );
}

/** An error's own fields are left out: an AxiosError carries the whole request, token included. */
function spellError(error: Error, depth: number): object {
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? { code: error.code } : {};
  const deeper = cause === undefined || depth > 4 ? {} : { cause: spell(cause, depth + 1) };
  return { name, message, ...code, stack, ...deeper };
}
