import { parseArgs } from 'node:util';
import { contend, isRight } from '../test/rig/contend.ts';
import { numberOf } from '../test/rig/number-option.ts';

// For as long as it is told, with snapshot isolation and without, one line each: `npm run contention --
// [--seconds 20] [--events 300]`, events a second. The reliability tests do the same for some seconds.

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    events: { type: 'string', default: '300' },
  },
});
const [seconds, eventsASecond] = [
  numberOf('seconds', values.seconds),
  numberOf('events', values.events),
];

for (const isolation of ['OFF', 'ON'] as const) {
  const began = performance.now();
  const result = await contend({ isolation, seconds, eventsASecond });
  const took = ((performance.now() - began) / 1_000).toFixed(0);
  const { events, booked, kills, deadlocks, givenUp, audit, books } = result;
  console.log(
    `${isRight(result) ? 'RIGHT' : 'WRONG'}: snapshot isolation ${isolation}, ${took} s: ` +
      `${events} events twice, ${kills} ledgers killed, ${deadlocks} deadlocks, MariaDB killed once; ` +
      `booked ${booked}, given up ${givenUp}, audit ${audit}, books against the list ${books}`,
  );
  if (!isRight(result)) process.exitCode = 1;
}
