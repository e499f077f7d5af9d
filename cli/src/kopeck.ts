import { COMMANDS } from './commands/table.ts';
import { Advice, contextOf } from './commands/command.ts';

const HELP = ['help', '-h', '--help'];

/** `npm run kopeck -- <command> …`: what operators ask of the books, one file a command. */
async function main([name = 'help', ...args]: readonly string[]): Promise<number> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    if (!HELP.includes(name)) throw new Advice(`There is no command '${name}'.\n\n${usage()}`);
    console.log(asCalled(usage()));
    return 0;
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
