import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { inSnapshot } from '../src/audit/audit.ts';
import { beancountAccount, commodity } from '../src/journal-beancount.ts';
import { hledgerAccount } from '../src/journal-hledger.ts';
import { journal, type JournalName } from '../src/journal.ts';
import { report, reportCsv, reportText } from '../src/report.ts';
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

test('a report tells gross, fees, refunds and suspense per source and asset, test money apart', async () => {
  const lines = await report(books.pool, DAY, NEXT);
  expect(reportCsv(lines).split('\n')).toEqual([
    'source,network,asset,gross,fees,refunds,suspense,entries',
    'cryptobot,main,TON,2.5,0.075,0,2.5,1',
    'cryptobot,main,USDT,0,0,0,0,1',
    'cryptobot,test,TON,2.5,0.075,0,2.5,1',
    'cryptobot,test,USDT,0,0,0,0,1',
    'epn_bz,main,RUB,96.35,0,0,0,2',
    'sbp,main,RUB,107.5,0,0,7,2',
    'telegram,main,NDN,0,0,0,0,1',
    'telegram,main,XTR,450,0,150,0,4',
  ]);
  expect(reportText(lines).split('\n').slice(3, 7)).toEqual([
    'cryptobot  test     TON      2.5  0.075        0       2.5        1',
    'cryptobot  test     USDT       0      0        0         0        1',
    'epn_bz     main     RUB    96.35      0        0         0        2',
    'sbp        main     RUB    107.5      0        0         7        2',
  ]);
  expect(await report(books.pool, NEXT, new Date('2026-10-07T00:00:00.000Z'))).toEqual([]);
});

test('hledger takes the journal, and comes to the same balances', async ({ skip }) => {
  const text = await exported('hledger');
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
  if (error !== undefined) skip('hledger is not installed here');
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
  const expected = (await balances()).map(
    ([account, amount, asset]) => `${hledgerAccount(account)} ${amount} ${asset}`,
  );
  expect(found.toSorted()).toEqual(expected.toSorted());
});

test('beancount takes the journal without a complaint, and comes to the same balances', async ({
  skip,
}) => {
  const text = await exported('beancount');
  expect(text).toContain('  Income:Sales  -100.5 RUB');
  // Its own loader and its own sums, in its own language.
  const { stdout, status, error, stderr } = spawnSync('python3', ['-c', SUMS], {
    input: text,
    encoding: 'utf8',
  });
  if (error !== undefined || stderr.includes("No module named 'beancount'"))
    skip('beancount is not installed here');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const expected = (await balances()).map(
    ([account, amount, asset]) => `${beancountAccount(account)} ${amount} ${commodity(asset)}`,
  );
  expect(stdout.trim().split('\n').toSorted()).toEqual(expected.toSorted());
});

test('two accounts stay two for beancount, and each is one that it can read', () => {
  const accounts = [
    'user:ab',
    'user:Ab',
    'user:X-ab',
    'user:X\u00ab',
    'user:-b',
    'user:',
    'user:5é',
  ];
  const written = accounts.map(beancountAccount);
  expect(new Set(written).size).toBe(accounts.length);
  for (const each of written) expect(each).toMatch(/^[A-Z][a-z]+(:[A-Z0-9][A-Za-z0-9-]*)+$/);
  expect(commodity('1INCH')).toBe('X.1INCH');
});

const SUMS = `
import sys
from collections import Counter
from beancount import loader
from beancount.core.data import Transaction
entries, errors, _ = loader.load_string(sys.stdin.read())
sys.exit(str(errors)) if errors else None
sums = Counter()
for entry in entries:
    for posting in entry.postings if isinstance(entry, Transaction) else []:
        sums[posting.account, posting.units.currency] += posting.units.number
for (account, currency), number in sums.items():
    if number: print(account, format(number.normalize(), 'f'), currency)
`;

async function exported(name: JournalName): Promise<string> {
  return inSnapshot(books.pool, async (tx) => {
    const parts: string[] = [];
    for await (const part of journal(tx, name)) parts.push(part);
    return parts.join('\n');
  });
}

async function balances(): Promise<readonly (readonly [string, string, string])[]> {
  return (await books.balances()).map((line) => {
    const [, account = '', amount = '', asset = ''] = /^(.*) (\S+) (\S+)$/.exec(line) ?? [];
    return [account, amount, asset];
  });
}
