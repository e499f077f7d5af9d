import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { inSnapshot } from '../src/audit/audit.ts';
import { accountName, journal, report, reportCsv, reportText } from '../src/report.ts';
import { openBooks, type Books } from './books.ts';
import { everything } from './history.ts';

let books: Books;
beforeAll(async () => {
  books = await openBooks(inject('mariadbRootUrl'), { EPN_CASHBACK_PERCENT: '10' });
  await books.book(...everything());
});
afterAll(() => books.close());

const DAY = new Date('2026-10-05T00:00:00.000Z');
const NEXT = new Date('2026-10-06T00:00:00.000Z');

test('a report tells gross, fees, refunds and suspense per source and asset', async () => {
  const lines = await report(books.pool, DAY, NEXT);
  expect(reportCsv(lines).split('\n')).toEqual([
    'source,asset,gross,fees,refunds,suspense,entries',
    'cryptobot,TON,5,0.15,0,5,2',
    'cryptobot,USDT,0,0,0,0,2',
    'epn_bz,RUB,96.35,0,0,0,2',
    'sbp,RUB,107.5,0,0,7,2',
    'telegram,NDN,0,0,0,0,1',
    'telegram,XTR,450,0,150,0,4',
  ]);
  expect(reportText(lines).split('\n')[4]).toMatch(/^sbp +RUB +107\.5 +0 +0 +7 +2$/);
  expect(await report(books.pool, NEXT, new Date('2026-10-07T00:00:00.000Z'))).toEqual([]);
});

test('hledger takes the journal, and comes to the same balances', async () => {
  const text = await inSnapshot(books.pool, async (tx) => {
    const parts: string[] = [];
    for await (const part of journal(tx)) parts.push(part);
    return parts.join('\n');
  });
  expect(text).toContain('    sales  -100.5 RUB');
  const { stdout, error } = spawnSync(
    'hledger',
    ['-f', '-', 'balance', '--flat', '-N', '-O', 'csv'],
    {
      input: text,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    },
  );
  // Not every machine has it; .ci/run sees to it that ours does.
  if (error !== undefined) return;
  const found = stdout
    .trim()
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, account = '', amounts = ''] = /^"(.*?)","(.*)"$/.exec(line) ?? [];
      // It writes all amounts of an asset with as many decimals.
      const plain = amounts.replace(/(\.\d*?)0+(?= )/g, '$1').replace(/\.(?= )/g, '');
      return plain.split(', ').map((amount) => `${account} ${amount}`);
    });
  const expected = (await books.balances()).map((line) => {
    const [, account = '', money = ''] = /^(.*) (\S+ \S+)$/.exec(line) ?? [];
    return `${accountName(account)} ${money}`;
  });
  expect(found.toSorted()).toEqual(expected.toSorted());
});
