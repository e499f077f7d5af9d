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
const COLUMNS = ['bench', 'what', 'figure', 'beside', 'ratio', 'measured'];
const RULE = rowOf(COLUMNS.map(() => '---'));

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

/** Each row names the day and the commit that it was measured at: those of other runs may stand beside it. */
export function tableOf({ machine, measurements }: Report): string {
  const { date, commit } = machine;
  return rendered(
    machine,
    measurements.map((each) =>
      rowOf([
        each.bench,
        each.what,
        figureOf(each),
        baselineOf(each),
        ratioOf(each),
        `${date} ${commit}`,
      ]),
    ),
  );
}

/**
 * The page with this report's table in the place of the last one, in which the rows of benches that did
 * not run stay, and say so if it was another machine. Throws when the page has no place for it.
 */
export function withTable(page: string, report: Report): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`the page has no line ${BEGIN}`);
  const last = page.slice(begin, end);
  const ran = new Set(report.measurements.map(({ bench }) => bench));
  const isSame = last.includes(hardware(report.machine));
  const kept = rowsIn(last)
    .filter((row) => !ran.has(benchOf(row)))
    .map((row) => (isSame ? row : elsewhere(row)));
  const rows = [...kept, ...rowsIn(tableOf(report))];
  return `${page.slice(0, begin + BEGIN.length)}\n\n${rendered(report.machine, rows)}\n${page.slice(end)}`;
}

function rendered(machine: Machine, rows: readonly string[]): string {
  const names = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const head = `${hardware(machine)}; ${names.join(', ')}.`;
  return `${head}\n\n${[rowOf(COLUMNS), RULE, ...rows].join('\n')}\n`;
}

function hardware({ processor, cores, memoryGb }: Machine): string {
  return `${cores} cores (${processor}), ${memoryGb} GB`;
}

const ELSEWHERE = ' (another machine) |';

function elsewhere(row: string): string {
  return row.endsWith(ELSEWHERE) ? row : row.trimEnd().replace(/ *\|$/, ELSEWHERE);
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function rowsIn(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\| (?:bench |---)/.test(line));
}

function benchOf(row: string): string {
  return (row.split('|')[1] ?? '').trim();
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
