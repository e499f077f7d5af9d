import { COMMANDS } from './commands/table.ts';
import { Advice, contextOf } from './commands/command.ts';

/** `npm run kopeck -- <command> …`: what operators ask of the books, one file a command. */
async function main([name = 'help', ...args]: readonly string[]): Promise<number> {
  const entry = COMMANDS[name];
  if (entry === undefined) {
    console.log(asCalled(usage()));
    return ['help', '-h', '--help'].includes(name) ? 0 : 2;
  }
  const { run } = await entry.load();
  return run(args, contextOf(process.env));
}

function usage(): string {
  const names = Object.entries(COMMANDS);
  const width = Math.max(...names.map(([name]) => name.length));
  return [
    'usage: npm run kopeck -- <command> [arguments]',
    '',
    ...names.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
  ].join('\n');
}

/** On a server it is the host's command that hands its arguments on to this one. */
function asCalled(text: string): string {
  return text.replaceAll('npm run kopeck --', process.env['KOPECK_COMMAND'] ?? 'npm run kopeck --');
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof Advice) console.error(asCalled(error.message));
  else console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  return error instanceof Advice ? 2 : 1;
});
