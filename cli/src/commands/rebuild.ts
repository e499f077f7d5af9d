import { parseArgs } from 'node:util';
import { createConnection, escapeId } from 'mysql2/promise';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { rebuild, RebuildDiffers, type Booked } from '../../../services/ledger/src/rebuild.ts';
import { checkEvidence, type EvidenceVerdict } from '../evidence/check-evidence.ts';
import { loadNetworks } from '../../../services/epn/src/load-networks.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- rebuild --into NEWDB

Books every event again, by the rates that were used then, into a new database of the same server
(its owner's URL is KOPECK_DATABASE_ROOT_URL), and compares each row's hash with the old one. Raw
evidence that is still kept is read again, and must come to the data that was booked.`;

export async function run(args: readonly string[], context: Context): Promise<number> {
  const name = readName(args);
  const url = context.find('KOPECK_DATABASE_ROOT_URL') ?? context.value('DATABASE_URL');
  const newUrl = await createDatabase(url, name);
  await migrate(newUrl);
  const from = openDatabase(url, { connections: 1 });
  const into = openDatabase(newUrl, { connections: 2 });
  try {
    const evidence = watchEvidence(context);
    const { seq, hash } = await rebuild(from, into, evidence.booked);
    context.say(`${name} holds the same books: ${seq} events.\nhead ${seq}:${hash}`);
    return evidence.tell() ? 0 : 1;
  } catch (error) {
    if (!(error instanceof RebuildDiffers)) throw error;
    context.say(`DIFFERENT: ${error.message}`);
    return 1;
  } finally {
    await Promise.all([from.end(), into.end()]);
  }
}

const NAMED = 20;

/** Evidence that comes to something else than was booked is told, and stops nothing: the books are right. */
function watchEvidence({ say, find }: Context): { booked: Booked; tell: () => boolean } {
  const networks = loadNetworks({
    ...optional('AFFILIATE_NETWORKS_DIR', find),
    ...optional('AFFILIATE_NETWORKS', find),
    AFFILIATE_TOKENS: [],
    EPN_DEFAULT_CURRENCY: find('EPN_DEFAULT_CURRENCY') ?? 'RUB',
  });
  const count: Record<EvidenceVerdict, number> = { same: 0, other: 0, untold: 0 };
  return {
    booked: async (event, seq) => {
      const verdict = await checkEvidence(event, networks);
      if (event.evidence !== '') count[verdict] += 1;
      if (verdict === 'other' && count.other <= NAMED)
        say(`EVIDENCE at seq ${seq}: ${event.id} is not what its raw bytes come to`);
    },
    tell: () => {
      const { same, other, untold } = count;
      say(
        `Evidence: ${same} come to what was booked, ${other} do not, ${untold} cannot be read again.`,
      );
      return other === 0;
    },
  };
}

function optional<K extends string>(key: K, find: Context['find']): Partial<Record<K, string>> {
  const value = find(key);
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, string>>);
}

function readName(args: readonly string[]): string {
  try {
    const { values } = parseArgs({ args: [...args], options: { into: { type: 'string' } } });
    if (values.into !== undefined && /^\w{1,64}$/.test(values.into)) return values.into;
  } catch {
    // An unknown option gets the same answer.
  }
  throw new Advice(USAGE);
}

async function createDatabase(url: string, name: string): Promise<string> {
  const connection = await createConnection({ uri: url });
  try {
    await connection.query(
      `CREATE DATABASE IF NOT EXISTS ${escapeId(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin`,
    );
  } finally {
    await connection.end();
  }
  const target = new URL(url);
  target.pathname = name;
  return target.href;
}
