import { ConfigError } from '@kopeck/runtime/config';
import { showBooked } from './simulate/booked.ts';
import { PARTNERS, type Partner } from './simulate/partners.ts';
import { findTarget, SimulationError } from './simulate/running.ts';
import { readSettings } from './suite/settings.ts';

const show = (line: string): void => console.log(line);

async function main([name = '--help', ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || args.includes('--help')) {
    show(help());
    return 0;
  }
  const partner = Object.hasOwn(PARTNERS, name) ? PARTNERS[name] : undefined;
  if (partner === undefined) throw new SimulationError(`There is no '${name}'.\n\n${help()}`);
  refuseWrongCount(partner, args);

  const target = findTarget(readSettings(process.env).home);
  const eventId = await partner.play(args, { target, show });
  if (eventId !== null) await showBooked(show, target, eventId);
  return 0;
}

function refuseWrongCount(
  { usage, example, least, most }: Partner,
  { length }: readonly string[],
): void {
  if (length >= least && length <= most) return;
  throw new SimulationError(
    `Usage: npm run simulate -- ${usage}\nsuch as: npm run simulate -- ${example}`,
  );
}

function help(): string {
  return [
    'Plays a partner, correctly signed, against the running suite (see npm start), and shows the',
    'request, the answer, and what was booked.',
    '',
    ...Object.values(PARTNERS).flatMap(({ usage, what, example }) => [
      `  npm run simulate -- ${usage}`,
      `      ${what}; such as: ${example}`,
    ]),
  ].join('\n');
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const isPlain = error instanceof SimulationError || error instanceof ConfigError;
  console.error(isPlain ? error.message : error);
  return 1;
});
