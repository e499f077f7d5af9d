import { parseArgs } from 'node:util';
import { createConnection, escapeId } from 'mysql2/promise';
import { openDatabase } from '@kopeck/runtime/database';
import { migrate } from '@kopeck/runtime/migrate';
import { rebuild, RebuildDiffers } from '../../../services/ledger/src/rebuild.ts';
import { Advice, type Context } from './command.ts';

const USAGE = `usage: npm run kopeck -- rebuild --into NEWDB

Books every event again, by the rates that were used then, into a new database of the same server
(its owner's URL is KOPECK_DATABASE_ROOT_URL), and compares each row's hash with the old one.`;

export async function run(args: readonly string[], context: Context): Promise<number> {
  const name = readName(args);
  const url = context.find('KOPECK_DATABASE_ROOT_URL') ?? context.value('DATABASE_URL');
  const newUrl = await createDatabase(url, name);
  await migrate(newUrl);
  const from = openDatabase(url, { connections: 1 });
  const into = openDatabase(newUrl, { connections: 2 });
  try {
    const { seq, hash } = await rebuild(from, into);
    context.say(`${name} holds the same books: ${seq} events.\nhead ${seq}:${hash}`);
    return 0;
  } catch (error) {
    if (!(error instanceof RebuildDiffers)) throw error;
    context.say(`DIFFERENT: ${error.message}`);
    return 1;
  } finally {
    await Promise.all([from.end(), into.end()]);
  }
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
