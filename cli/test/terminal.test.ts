import { expect, test } from 'vitest';
import { showTrouble } from '../src/suite/terminal.ts';

function shown(line: object | string): readonly string[] {
  const lines: string[] = [];
  const write = showTrouble('sbp', (text) => void lines.push(text));
  write(typeof line === 'string' ? line : JSON.stringify(line));
  return lines;
}

test('warnings and errors come to the terminal, with what they say and without stacks', () => {
  const error = { name: 'Error', message: 'connect ECONNREFUSED', stack: 'Error: …\n at x' };
  expect(
    shown({ level: 'warn', message: 'booking waits', service: 'sbp', error, events: 3 }),
  ).toEqual(['[sbp] warn: booking waits  error=connect ECONNREFUSED  events=3']);
});

test('the rest is in the log file', () => {
  expect(shown({ level: 'info', message: 'listening' })).toEqual([]);
});

test('what is no log line is shown as it is', () => {
  expect(shown('Please set in the environment:')).toEqual(['[sbp] Please set in the environment:']);
});
