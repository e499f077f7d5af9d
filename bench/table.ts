import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { requireBinaries } from '@kopeck/testing/binaries';
import { baselineOf, figureOf, ratioOf, type Measurement } from './result.ts';

/** What the figures depend on. */
export interface Machine {
  /** A day: YYYY-MM-DD. */
  readonly date: string;
  readonly commit: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Report {
  readonly machine: Machine;
  readonly measurements: readonly Measurement[];
}

const LIBRARIES = ['bullmq', 'express', 'ioredis', 'mysql2'];
const BEGIN = '<!-- npm run bench: what is between these lines is written by it -->';
const END = '<!-- npm run bench: end -->';

export async function describeMachine(root: string): Promise<Machine> {
  const { mariadbd, redisServer } = requireBinaries();
  const git = ['-C', root, 'rev-parse', '--short', 'HEAD'];
  const commit = spawnSync('git', git, { encoding: 'utf8' }).stdout.trim();
  const libraries = await Promise.all(
    LIBRARIES.map(async (name) => [name, await libraryVersion(root, name)] as const),
  );
  return {
    date: new Date().toISOString().slice(0, 10),
    commit,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    versions: {
      Linux: release(),
      Node: process.versions.node,
      MariaDB: versionOf(mariadbd),
      Redis: versionOf(redisServer.command, redisServer.argv0),
      ...Object.fromEntries(libraries),
    },
  };
}

/** One JSON object a line, as `record` writes them. */
export function readMeasurements(lines: string): readonly Measurement[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Measurement);
}

export function tableOf({ machine, measurements }: Report): string {
  const { date, commit, processor, cores, memoryGb, versions } = machine;
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const head = `${date}, commit ${commit}: ${cores} cores (${processor}), ${memoryGb} GB; ${names.join(', ')}.`;
  const rows = measurements.map((each) => [
    each.bench,
    each.what,
    figureOf(each),
    baselineOf(each),
    ratioOf(each),
  ]);
  const all = [
    ['bench', 'what', 'figure', 'beside', 'ratio'],
    ['---', '---', '---', '---', '---'],
    ...rows,
  ];
  const table = all.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `${head}\n\n${table}\n`;
}

/** The page with this table in the place of the last one. Throws when the page has no place for it. */
export function withTable(page: string, table: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`the page has no line ${BEGIN}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${table}\n${page.slice(end)}`;
}

async function libraryVersion(root: string, name: string): Promise<string> {
  const path = join(root, 'node_modules', name, 'package.json');
  return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version;
}

/** The first number that looks like a version. */
function versionOf(program: string, argv0 = program): string {
  const { stdout } = spawnSync(program, ['--version'], { argv0, encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? 'unknown';
}
