import { expect, test } from 'vitest';
import { tableOf, withTable, type Report } from '../bench/table.ts';
import type { Measurement } from '../bench/result.ts';

const BEGIN = '<!-- npm run bench: what is between these lines is written by it -->';
const END = '<!-- npm run bench: end -->';
const ELSEWHERE = '| process | live heap |\n| ------- | --------- |\n| sbp     | 22.8      |\n';

function report(commit: string, ...benches: readonly string[]): Report {
  const machine = { date: '2026-11-23', commit, processor: 'x', cores: 2, memoryGb: 24 };
  const measurements = benches.map((bench): Measurement => ({
    bench,
    what: 'postbacks',
    value: 5_000,
    unit: 'requests/s',
    baseline: { what: 'bare', value: 10_000 },
  }));
  return { machine: { ...machine, versions: { Node: '24' } }, measurements };
}

function rows(page: string): readonly string[] {
  return page.split('\n').filter((line) => /^\| (?:epn|ledger|sbp) /.test(line));
}

test('a table says of each row what was measured, beside what, and at which commit', () => {
  expect(tableOf(report('abc', 'epn'))).toContain(
    '| epn | postbacks | 5,000 requests/s | bare: 10,000 | 0.50 | 2026-11-23 abc |',
  );
});

test('of a page only the rows of the benches that ran are replaced, and no other table', () => {
  const first = withTable(`${BEGIN}\n${END}\n${ELSEWHERE}`, report('abc', 'epn', 'ledger'));
  const second = withTable(first, report('def', 'epn'));
  expect(rows(second)).toEqual([
    expect.stringMatching(/^\| ledger .* abc \|$/),
    expect.stringMatching(/^\| epn .* def \|$/),
    '| sbp     | 22.8      |',
  ]);
  expect(second.endsWith(ELSEWHERE)).toBe(true);
});

test('rows that stay say that they are of another machine, once', () => {
  const other = (processor: string, bench: string): Report => {
    const { machine, measurements } = report('def', bench);
    return { machine: { ...machine, processor }, measurements };
  };
  let page = withTable(`${BEGIN}\n${END}\n`, report('abc', 'epn', 'ledger'));
  for (const processor of ['y', 'z']) page = withTable(page, other(processor, 'epn'));
  expect(rows(page)).toEqual([
    expect.stringMatching(/^\| ledger .* abc \(another machine\) \|$/),
    expect.stringMatching(/^\| epn .* def \|$/),
  ]);
});

test('a page without a place for the table is refused', () => {
  expect(() => withTable('nothing', report('abc', 'epn'))).toThrow('the page has no line');
});
