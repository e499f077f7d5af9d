import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@kopeck/testing/ports';
import type { Name, Rig } from '../rig/rig.ts';
import { openLink, type Link } from './link.ts';

type Env = Readonly<Record<string, string>>;

/** The running processes of Kopeck, each with ways of its own to Redis and MariaDB. */
export interface Copies {
  /** By name: 'crypto to redis'. */
  readonly links: ReadonlyMap<string, Link>;
  /** Starts what was killed; when that is being done already, it only waits. */
  readonly revive: (copy: string) => Promise<void>;
  /** What ended without being killed. */
  readonly problems: () => readonly string[];
  readonly close: () => Promise<void>;
}

/** Two ledgers, so that two workers want the same events. */
const COPIES = {
  sbp: 'sbp',
  crypto: 'crypto',
  epn: 'epn',
  admin: 'admin',
  ledger: 'ledger',
  'ledger-2': 'ledger',
  courier: 'courier',
} as const satisfies Record<string, Name>;
export type Copy = keyof typeof COPIES;
export const COPY_NAMES = Object.keys(COPIES) as readonly Copy[];

/** They delete what was acknowledged at once, the others after a day: either may be killed at it. */
const FORGETFUL: ReadonlySet<Copy> = new Set(['crypto', 'sbp']);

const WATCH_MS = 250;
const AGAIN_MS = 500;
const STARTS = 5;

export async function openCopies(rig: Rig, log: (line: string) => void): Promise<Copies> {
  const links = new Map<string, Link>();
  const environments = new Map<string, Env>();
  const reviving = new Map<string, Promise<void>>();
  const problems: string[] = [];
  const closing = new AbortController();

  async function link(copy: string, url: string, to: 'redis' | 'mariadb'): Promise<string> {
    const opened = await openLink(rig[to].port);
    links.set(`${copy} to ${to}`, opened);
    const through = new URL(url);
    through.port = String(opened.port);
    return through.href;
  }

  /** As an operator's Docker does: again and again. What is away at its start must not end a service. */
  async function start(copy: Copy): Promise<void> {
    for (let turn = 1; !closing.signal.aborted; turn += 1) {
      try {
        return await rig.start(COPIES[copy], environments.get(copy), copy);
      } catch (error) {
        log(`${copy} did not start: ${error instanceof Error ? error.message : String(error)}`);
        if (turn === STARTS) throw error;
        await delay(AGAIN_MS);
      }
    }
  }

  function revive(copy: string): Promise<void> {
    const running = reviving.get(copy);
    if (running !== undefined) return running;
    const started = start(copy as Copy).finally(() => reviving.delete(copy));
    reviving.set(copy, started);
    return started;
  }

  for (const copy of COPY_NAMES) {
    environments.set(copy, {
      REDIS_URL: await link(copy, rig.redis.url, 'redis'),
      DATABASE_URL: await link(copy, rig.databaseUrl, 'mariadb'),
      ...(copy === 'ledger-2' ? await portsOfItsOwn() : {}),
      ...(FORGETFUL.has(copy) ? { JOURNAL_KEEP_HOURS: '0' } : {}),
    });
  }
  // All of them to their end: one that came up after another had failed would outlive the run.
  const starts = await Promise.allSettled(COPY_NAMES.map((copy) => start(copy)));
  for (const each of starts) if (each.status === 'rejected') throw each.reason;

  const watch = setInterval(() => {
    for (const copy of COPY_NAMES) {
      const process = rig.processes.get(copy);
      if (process?.hasEnded() !== true || process.wasEnded() || reviving.has(copy)) continue;
      problems.push(`${copy} ended by itself: ${process.log().slice(-1_000)}`);
      void revive(copy);
    }
  }, WATCH_MS);

  async function close(): Promise<void> {
    closing.abort();
    clearInterval(watch);
    await Promise.allSettled(reviving.values());
    await Promise.all(COPY_NAMES.map((copy) => rig.kill(copy)));
    await Promise.all([...links.values()].map((each) => each.close()));
  }
  return { links, revive, problems: () => problems, close };
}

async function portsOfItsOwn(): Promise<Env> {
  return {
    LEDGER_PORT: String(await freePort()),
    LEDGER_METRICS_PORT: String(await freePort()),
  };
}
