import { SERVICES } from '../suite/services.ts';
import { PORTS } from '../suite/settings.ts';
import { lookAtBooks, lookAtQueues, lookAtService } from '../status/look.ts';
import type { BooksStatus, ServiceStatus } from '../status/look.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- status [--json]

Which services are ready, how many events wait for the ledger, and the head of the books.`;

interface Status {
  readonly services: readonly ServiceStatus[];
  readonly queues: Readonly<Record<string, number>> | null;
  readonly books: BooksStatus | null;
}

/** Exit code 1: something is not ready or does not answer. */
export async function run(args: readonly string[], { find, value, say }: Context): Promise<number> {
  const [format, ...more] = args;
  if (more.length > 0 || (format !== undefined && format !== '--json')) throw new Advice(USAGE);

  const [services, queues, books] = await Promise.all([
    Promise.all(SERVICES.map(({ name }) => lookAtService(name, metricsUrlOf(name, find)))),
    lookAtQueues(value('REDIS_URL'), find('REDIS_PREFIX') ?? '{kopeck}'),
    lookAtBooks(value('DATABASE_URL')),
  ]);
  const status: Status = { services, queues, books };
  say(format === '--json' ? JSON.stringify(status, null, 2) : asText(status));
  const isWell = services.every(({ ready }) => ready === true) && queues !== null && books !== null;
  return isWell ? 0 : 1;
}

/** A suite of `npm start` says it; in Compose a service is found by its name. */
function metricsUrlOf(name: string, find: Context['find']): string {
  const key = `${name.toUpperCase()}_METRICS` as Uppercase<string>;
  return find(`${key}_URL`) ?? `http://${name}:${PORTS[`${key}_PORT` as keyof typeof PORTS]}`;
}

function asText({ services, queues, books }: Status): string {
  return [
    'Services',
    ...services.flatMap((service) => [
      `  ${service.name.padEnd(13)} ${wordFor(service)}`,
      ...service.warnings.map((warning) => `  ${''.padEnd(13)} ! ${warning}`),
    ]),
    '',
    'Events that wait for the ledger',
    ...(queues === null
      ? ['  Redis does not answer']
      : Object.entries(queues).map(([name, waiting]) => `  ${name.padEnd(13)} ${waiting}`)),
    '',
    'Books',
    ...(books === null ? ['  MariaDB does not answer'] : booksText(books)),
  ].join('\n');
}

function wordFor({ ready, missing }: ServiceStatus): string {
  if (ready === null) return 'DOES NOT ANSWER';
  return ready ? 'ready' : `NOT READY: ${missing.join(', ') || 'it does not say why'}`;
}

function booksText({ head, bookedAt, openReviews }: BooksStatus): readonly string[] {
  const reviews = openReviews === 0 ? 'none is open' : `${openReviews} open: kopeck review list`;
  return [
    `  head          ${head}`,
    `  last booked   ${bookedAt ?? 'nothing yet'}`,
    `  reviews       ${reviews}`,
  ];
}
