import { Writable } from 'node:stream';
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

type Severity = keyof Log;

export function createLog({ service, level, secrets }: LogOptions): Log {
  const clean = redactor(secrets);
  const logger = winston.createLogger({
    level,
    // What spell() gives has nothing that JSON cannot write: winston's own format.json() takes three times as long.
    format: winston.format.printf((line) => JSON.stringify(line)),
    transports: [new winston.transports.Stream({ stream: stdoutByTurns() })],
  });
  const write =
    (severity: Severity) =>
    (message: string, meta: Meta = {}) => {
      if (!logger.isLevelEnabled(severity)) return;
      const line = redact(spell({ ...meta, message }), clean) as { readonly message: string };
      const timestamp = new Date().toISOString();
      const first = { timestamp, level: severity, service, message: line.message };
      // As one object: with several arguments winston looks for %s in the message and drops the rest.
      logger.log({ ...first, ...line, ...first });
    };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

let gathered = '';

function flushGathered(): void {
  process.stdout.write(gathered);
  gathered = '';
}

/**
 * All lines of one turn of the event loop in one write: for each line on its own the system would take
 * as long as for the answer that it tells of. What ends the process, short of SIGKILL, flushes.
 */
function stdoutByTurns(): Writable {
  if (!process.listeners('exit').includes(flushGathered)) process.on('exit', flushGathered);
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      if (gathered === '') setImmediate(flushGathered);
      gathered += line;
      done();
    },
  });
}

/** A log that keeps silent, for tools and tests. */
export const noLog: Log = { error() {}, warn() {}, info() {}, debug() {} };

/** Deeper than any line of ours needs; it also ends what refers to itself. */
const DEEPEST = 5;

/** Plain records and values: JSON.stringify makes `{}` of an Error, and a page of digits of a Buffer. */
function spell(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) return '…';
  if (value instanceof Error) return spellError(value, depth);
  if (value instanceof Date) return value.toJSON();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.map((item) => spell(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, spell(item, depth + 1)]),
  );
}

/**
 * With its causes, and with the errors that it gathers (a connection tried over IPv4 and IPv6 says
 * nothing itself). Its own other fields are left out: an AxiosError carries the whole request.
 */
function spellError(error: Error, depth: number): object {
  const { name, message, stack, cause } = error;
  const spelled: Record<string, unknown> = { name, message, ...numbersOf(error), stack };
  if (cause !== undefined) spelled['cause'] = spell(cause, depth + 1);
  if (error instanceof AggregateError) spelled['errors'] = spell(error.errors, depth + 1);
  return spelled;
}

/** What a machine calls the error: ECONNREFUSED, 1213. */
function numbersOf(error: Error): object {
  const { code, errno } = error as Error & { code?: unknown; errno?: unknown };
  const known = Object.entries({ code, errno });
  return Object.fromEntries(known.filter(([, word]) => ['string', 'number'].includes(typeof word)));
}
