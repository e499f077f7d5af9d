import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChaosReport } from './chaos.ts';
import type { Edit, Plant } from './plants.ts';

export interface Catch {
  readonly plant: string;
  /** What gave it away; null: chaos did not see the bug. */
  readonly by: string | null;
}

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCES = ['Dockerfile', 'packages', 'services', 'cli', 'test', 'package.json'];

/** Copies the source, makes the bug in the copy, and lets chaos loose on it. */
export async function plantAndRun(plant: Plant, seed: number): Promise<Catch> {
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-plant-'));
  try {
    await copySource(dir);
    for (const edit of plant.edits) await make(edit, dir);
    const report = join(dir, 'report.json');
    const output = await runChaosIn(dir, argumentsOf(plant, seed, report));
    return { plant: plant.name, by: await whatGaveItAway(plant, report, output) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function whatGaveItAway(
  plant: Plant,
  report: string,
  output: string,
): Promise<string | null> {
  const text = await readFile(report, 'utf8').catch(() => null);
  if (text === null) {
    const [reason] = /Redis may lose acknowledged events: [^;.]*/.exec(output) ?? [];
    if (plant.stops === true && reason !== undefined) return reason;
    throw new Error(`chaos itself failed with '${plant.name}': ${output.slice(-3_000)}`);
  }
  const { problems } = JSON.parse(text) as ChaosReport;
  const [first] = problems;
  return first === undefined ? null : `${first.slice(0, 150)} (${problems.length} problems)`;
}

function argumentsOf({ minutes, faults, copies }: Plant, seed: number, report: string): string[] {
  const timing = ['--minutes', String(minutes), '--quiet-s', '8'];
  const dice = ['--seed', String(seed), '--faults', faults.join(',')];
  const targets = copies === undefined ? [] : ['--copies', copies.join(',')];
  return [...timing, ...dice, ...targets, '--report', report];
}

/** The dependencies are those of the original; the project's own packages are the copy's. */
async function copySource(dir: string): Promise<void> {
  const isSource = (path: string): boolean => !path.includes('node_modules');
  for (const each of SOURCES) {
    await cp(join(ROOT, each), join(dir, each), {
      recursive: true,
      filter: (path) => isSource(path.slice(ROOT.length)),
    });
  }
  const modules = join(dir, 'node_modules');
  await mkdir(join(modules, '@kopeck'), { recursive: true });
  const original = join(ROOT, 'node_modules');
  for (const name of await readdir(original)) {
    if (name !== '@kopeck') await symlink(join(original, name), join(modules, name));
  }
  for (const name of await readdir(join(ROOT, 'packages')))
    await symlink(join(dir, 'packages', name), join(modules, '@kopeck', name));
}

async function make({ file, find, put }: Edit, dir: string): Promise<void> {
  const path = join(dir, file);
  const source = await readFile(path, 'utf8');
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`'${find}' stands in ${file} ${places} times, not once`);
  await writeFile(
    path,
    source.replace(find, () => put),
  );
}

async function runChaosIn(dir: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(dir, 'test', 'chaos', 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return output;
}
