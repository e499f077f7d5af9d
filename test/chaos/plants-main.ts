import { parseArgs } from 'node:util';
import { numberOf } from '../rig/number-option.ts';
import { plantAndRun, type Catch } from './plant.ts';
import { PLANTS } from './plants.ts';

const HELP = `npm run chaos:plants -- [options]
  --only LIST  plants whose name has one of these texts, by commas
  --seed N     of events and faults
  --at-once N  so many at the same time, default 2
Makes each known bug in a copy of the source and expects chaos to find it. Exits with 1 when one gets away.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else process.exitCode = await run();

async function run(): Promise<number> {
  const texts = values.only.split(',');
  const [seed, atOnce] = [numberOf('seed', values.seed), numberOf('at-once', values['at-once'])];
  const waiting = PLANTS.filter(({ name }) => texts.some((text) => name.includes(text)));
  if (waiting.length === 0) {
    console.error(
      `No bug is named so. There are:\n${PLANTS.map(({ name }) => `  ${name}`).join('\n')}`,
    );
    return 2;
  }
  const catches: Catch[] = [];
  async function lane(): Promise<void> {
    for (let plant = waiting.shift(); plant !== undefined; plant = waiting.shift()) {
      const caught = await plantAndRun(plant, seed);
      catches.push(caught);
      console.log(`${caught.by === null ? 'GOT AWAY' : 'caught  '}  ${caught.plant}`);
      if (caught.by !== null) console.log(`          ${caught.by}`);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane));
  const escaped = catches.filter(({ by }) => by === null).length;
  console.log(`${catches.length - escaped} caught, ${escaped} got away`);
  return escaped === 0 ? 0 : 1;
}
