import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { numberOf } from '../rig/number-option.ts';
import { runChaos } from './chaos.ts';
import { COPY_NAMES } from './copies.ts';
import { FAULTS } from './faults.ts';

const HELP = `npm run chaos -- [options]
  --minutes N    how long things break, default 2
  --seed N       of events and faults; the one of a run is printed, and in its report
  --events N     at most so many, default a million
  --faults LIST  of ${FAULTS.join(', ')}; default all
  --copies LIST  the only processes to be killed or cut off, of ${COPY_NAMES.join(', ')}; default all
  --quiet-s N    give up waiting after so many seconds without a change, default 120:
                 an order that was being looked at when sbp was killed is free after 90
  --report FILE  the report as JSON
Exits with 0 when all that was accepted is booked, once, and nothing else is; else with 1.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    events: { type: 'string', default: '1000000' },
    faults: { type: 'string', default: FAULTS.join(',') },
    copies: { type: 'string', default: COPY_NAMES.join(',') },
    'quiet-s': { type: 'string', default: '120' },
    report: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else process.exitCode = await run();

async function run(): Promise<number> {
  const begun = performance.now();
  const log = (line: string): void =>
    console.log(`${((performance.now() - begun) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  log(`seed ${values.seed}`);

  const report = await runChaos({
    seconds: numberOf('minutes', values.minutes) * 60,
    seed: numberOf('seed', values.seed),
    events: numberOf('events', values.events),
    faults: listOf('faults', values.faults, FAULTS),
    copies: listOf('copies', values.copies, COPY_NAMES),
    quietMs: numberOf('quiet-s', values['quiet-s']) * 1_000,
    log,
  });
  const text = JSON.stringify(report, null, 2);
  if (values.report !== undefined) await writeFile(values.report, `${text}\n`);
  console.log(text);
  return report.problems.length === 0 ? 0 : 1;
}

function listOf<T extends string>(option: string, text: string, known: readonly T[]): [T, ...T[]] {
  const [first, ...others] = text.split(',').map((name) => {
    const one = known.find((each) => each === name);
    if (one === undefined)
      throw new Error(`--${option} takes ${known.join(', ')}, and '${name}' is none of them`);
    return one;
  });
  if (first === undefined) throw new Error(`--${option} is empty`);
  return [first, ...others];
}
