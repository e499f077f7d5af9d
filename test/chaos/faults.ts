import { setTimeout as delay } from 'node:timers/promises';
import type { PrivateServer } from '@kopeck/testing/private-server';
import type { Rig } from '../rig/rig.ts';
import type { Link } from './link.ts';
import type { Random } from './random.ts';

export const FAULTS = ['kill', 'redis', 'mariadb', 'cut', 'hang', 'slow'] as const;
export type Fault = (typeof FAULTS)[number];

export interface FaultsOptions {
  readonly rig: Rig;
  /** Starts the process again, with what it had; when that is being done already, it only waits. */
  readonly revive: (copy: string) => Promise<void>;
  readonly copies: readonly [string, ...string[]];
  /** By name: 'crypto to redis'. */
  readonly links: ReadonlyMap<string, Link>;
  readonly kinds: readonly [Fault, ...Fault[]];
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** From a SIGKILL or a cut to the next. */
const PAUSE_MS = [1_000, 5_000] as const;
const TROUBLE_MS = [200, 3_000] as const;
const SLOW_MS = 100;

/** Breaks one thing after the other until told to stop; in the end all runs and all links are whole. */
export async function spoil(options: FaultsOptions): Promise<Readonly<Record<string, number>>> {
  const { random, signal, kinds, log } = options;
  const counts: Record<string, number> = {};
  const mending: Promise<void>[] = [];
  while (!signal.aborted) {
    const kind = random.pick(kinds);
    const { name, done } = FAULT[kind](options);
    log(name);
    counts[kind] = (counts[kind] ?? 0) + 1;
    mending.push(done);
    await delay(random.whole(...PAUSE_MS), undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(mending);
  return counts;
}

interface Running {
  readonly name: string;
  /** Resolves when all is as before. */
  readonly done: Promise<void>;
}

const FAULT: Readonly<Record<Fault, (options: FaultsOptions) => Running>> = {
  kill: ({ rig, copies, random, revive }) => {
    const copy = random.pick(copies);
    const again = async (): Promise<void> => {
      await rig.kill(copy);
      await revive(copy);
    };
    return { name: `kill ${copy}`, done: again() };
  },
  redis: ({ rig, random }) => ({ name: 'kill redis', done: bounce(rig.redis, random) }),
  mariadb: ({ rig, random }) => ({ name: 'kill mariadb', done: bounce(rig.mariadb, random) }),
  cut: (options) => spoilLink(options, 'cut', (link) => link.cut()),
  hang: (options) => spoilLink(options, 'hang', (link) => link.hang()),
  slow: (options) => spoilLink(options, 'slow', (link) => link.slow(SLOW_MS)),
};

/** A server that is down or coming up is left alone. */
async function bounce(server: PrivateServer, random: Random): Promise<void> {
  const downMs = random.whole(...TROUBLE_MS);
  if (server.pid === undefined) return;
  await server.kill();
  await delay(downMs);
  await server.restart();
}

function spoilLink(
  { links, copies, random }: FaultsOptions,
  word: string,
  spoilIt: (link: Link) => void,
): Running {
  const [first, ...others] = [...links].filter(([way]) =>
    copies.some((copy) => way.startsWith(`${copy} to `)),
  );
  if (first === undefined) throw new Error('there is no link to spoil');
  const [name, link] = random.pick([first, ...others]);
  const ms = random.whole(...TROUBLE_MS);
  const pass = async (): Promise<void> => {
    spoilIt(link);
    await delay(ms);
    link.heal();
  };
  return { name: `${word} ${name} for ${ms} ms`, done: pass() };
}
