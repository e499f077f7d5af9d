import { say } from './advice.mjs';
import { runTool, wasInterrupted } from './run.mjs';

const STEPS = [
  { name: 'format', tool: 'prettier', args: ['--check', '--log-level=warn', '.'] },
  { name: 'lint', tool: 'oxlint', args: ['--type-aware'] },
  { name: 'types', tool: 'tsc', args: ['-p', '.'] },
  { name: 'house rules', tool: 'vitest', args: ['run', 'test/tidy.test.ts'] },
];

/** All steps run, also after one has failed: better to mend four things at once than one by one. */
export async function check() {
  const results = [];
  for (const { name, tool, args } of STEPS) {
    say(`\n> ${name}: ${tool} ${args.join(' ')}`);
    const code = await runTool(tool, args);
    if (wasInterrupted(code)) return code;
    results.push({ name, tool, failed: code !== 0 });
  }

  say('');
  for (const { name, tool, failed } of results) {
    say(`${failed ? 'FAILED' : 'ok    '}  ${name} (${tool})`);
  }
  return results.some(({ failed }) => failed) ? 1 : 0;
}
