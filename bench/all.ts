import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, readMeasurements, tableOf, withTable } from './table.ts';

interface Bench {
  readonly script: string;
  readonly args: readonly string[];
  readonly quick: readonly string[];
  /** Where arguments come from the environment. */
  readonly quickEnv?: Readonly<Record<string, string>>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  intake: { script: 'intake.ts', args: [], quick: ['--requests', '200'] },
  epn: { script: 'epn.ts', args: [], quick: [], quickEnv: { BENCH_REQUESTS: '500' } },
  latency: { script: 'latency.ts', args: [], quick: [] },
  sustained: {
    script: 'sustained.ts',
    args: [],
    quick: ['--minutes', '0.2', '--rate', '20', '--events', '600'],
  },
  drain: { script: 'drain.ts', args: [], quick: ['--events', '1000'] },
  ledger: { script: 'ledger.ts', args: [], quick: ['--events', '1000', '--rounds', '1'] },
  explain: { script: 'explain.ts', args: [], quick: ['--events', '2000'] },
  refresh: { script: 'refresh.ts', args: [], quick: [], quickEnv: { BENCH_PURCHASES: '60' } },
};

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs', 'performance.md');
const NAMES = Object.keys(BENCHES);

const HELP = `npm run bench -- [--quick] [--only NAMES] [--json FILE] [--write]

Runs the benchmarks one after the other and prints one table of their figures.

  --quick      small numbers: shows that each of them works, and nothing else (about 3 minutes)
  --only A,B   these alone: ${NAMES.join(', ')}
  --json FILE  where the figures go; default .local/bench.json
  --write      puts the rows into the table of docs/performance.md as well; others stay

Run it with nothing else on the machine: about 40 minutes, half of them for filling a million events.`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: NAMES.join(',') },
    json: { type: 'string', default: join(ROOT, '.local', 'bench.json') },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else process.exitCode = await runAll(values.only.split(','));

async function runAll(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => BENCHES[name] === undefined);
  if (unknown.length > 0) {
    console.error(`There is no benchmark ${unknown.join(', ')}; there are ${NAMES.join(', ')}.`);
    return 2;
  }
  const dir = await mkdtemp(join(tmpdir(), 'kopeck-bench-'));
  const results = join(dir, 'results');
  await writeFile(results, '');
  const failed: string[] = [];
  for (const [at, name] of names.entries()) {
    console.log(`\n==> ${name} (${at + 1} of ${names.length})`);
    if ((await run(name, results)) !== 0) failed.push(name);
  }
  await conclude(await readFile(results, 'utf8'));
  await rm(dir, { recursive: true });
  for (const name of failed) console.error(`FAILED  ${name}`);
  return failed.length === 0 ? 0 : 1;
}

async function run(name: string, results: string): Promise<number> {
  const bench = BENCHES[name];
  if (bench === undefined) return 2;
  const { script, args, quick, quickEnv } = bench;
  const child = spawn(
    process.execPath,
    [join(ROOT, 'bench', script), ...(values.quick ? quick : args)],
    {
      env: { ...process.env, ...(values.quick ? quickEnv : {}), BENCH_RESULTS: results },
      stdio: 'inherit',
    },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function conclude(lines: string): Promise<void> {
  const report = { machine: await describeMachine(ROOT), measurements: readMeasurements(lines) };
  const table = tableOf(report);
  console.log(`\n${table}`);
  await mkdir(dirname(values.json), { recursive: true });
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`The figures are in ${values.json}.`);
  if (values.write) await writeFile(PAGE, withTable(await readFile(PAGE, 'utf8'), report));
}
