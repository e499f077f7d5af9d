import { QUEUES, type QueueName } from '@kopeck/core/event';
import type { Context } from '../commands/command.ts';
import { lookAtQueues, lookAtService } from '../status/look.ts';
import { SERVICES } from '../suite/services.ts';
import { error, ok, warn, type Check, type Finding } from './check.ts';
import { figuresOf, sumOf } from './figures.ts';

/** Do the services do their work, and does it come through to the books? */
export const SERVICE_CHECKS: readonly Check[] = [
  { name: 'services', run: ready },
  { name: 'ledger', run: behind },
  { name: 'journals', run: journals },
];

async function ready({ value }: Context): Promise<readonly Finding[]> {
  const looks = await Promise.all(
    SERVICES.map(({ name }) => lookAtService(name, value(`${name.toUpperCase()}_METRICS_URL`))),
  );
  const wrong = looks.flatMap(({ name, ready: is, missing }) => {
    if (is === true) return [];
    const what =
      is === null ? `${name} does not answer` : `${name} is not ready: ${missing.join(', ')}`;
    return [error(what, `See what it says: \`kopeck logs ${name}\`.`)];
  });
  return wrong.length > 0 ? wrong : [ok('every service is ready')];
}

/** A burst is booked in seconds; more than this waits only when something is wrong. */
const MANY = 1_000;

async function behind({ value, find }: Context): Promise<readonly Finding[]> {
  const depths = await lookAtQueues(value('REDIS_URL'), find('REDIS_PREFIX') ?? '{kopeck}');
  if (depths === null) return [];
  const waiting = (Object.keys(QUEUES) as QueueName[])
    .map((name) => ({ name, count: depths[name] }))
    .filter(({ count }) => count >= MANY);
  if (waiting.length === 0) return [ok('the ledger keeps up')];
  return waiting.map(({ name, count }) =>
    error(
      `the ledger is behind: ${count} events wait in ${name}`,
      'See whether the ledger runs and MariaDB answers: `kopeck status`, `kopeck logs ledger`. Nothing is lost meanwhile.',
    ),
  );
}

const DEFAULT_MAX_BYTES = 2 ** 30;

async function journals(context: Context): Promise<readonly Finding[]> {
  const cap = Number(context.find('JOURNAL_MAX_BYTES') ?? DEFAULT_MAX_BYTES);
  const findings = await Promise.all(
    ['sbp', 'crypto', 'epn', 'admin'].map(async (service) => {
      const figures = await figuresOf(context, service).catch(() => null);
      // A service that does not answer is told of already.
      if (figures === null) return [];
      const waiting = sumOf(figures, 'kopeck_journal_waiting');
      const percent = Math.round((100 * sumOf(figures, 'kopeck_journal_bytes')) / cap);
      return journal(service, waiting, percent);
    }),
  );
  const found = findings.flat();
  return found.length > 0 ? found : [ok('the journals are forwarded')];
}

function journal(service: string, waiting: number, percent: number): readonly Finding[] {
  const cure =
    'See why nothing is forwarded: is Redis there and safe, and does the ledger book? More room: JOURNAL_MAX_BYTES.';
  if (percent >= 50) return [error(`the journal of ${service} is ${percent} % full`, cure)];
  if (waiting < MANY) return [];
  return [warn(`the journal of ${service} grows: ${waiting} events wait in it`, cure)];
}
