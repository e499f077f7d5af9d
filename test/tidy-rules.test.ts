import { describe, expect, test } from 'vitest';
import { imports } from './tidy/imports.ts';
import { barrels, classes, defaultExports, enums, realTests } from './tidy/language.ts';
import { money } from './tidy/money.ts';
import { clock, environment } from './tidy/places.ts';
import type { Rule } from './tidy/rule.ts';
import { RULES } from './tidy/rules.ts';
import { checkShapes } from './tidy/shape.ts';
import { size } from './tidy/size.ts';
import { sql } from './tidy/sql.ts';
import { privatePackages, traces } from './tidy/traces.ts';

// A rule that never bites is a wish: each is shown what it must refuse, and what it must let pass.

interface Example {
  readonly rule: Rule;
  /** Where the examples stand, unless they say otherwise before a '|'. */
  readonly path: string;
  readonly refused: readonly string[];
  readonly passed: readonly string[];
}

const SERVICE = 'services/sbp/src/a.ts';
const CORE = 'packages/core/src/a.ts';
const TEST = 'services/sbp/test/a.test.ts';
/** In pieces, so that a search for them finds nothing in the repository. */
const WORKPLACE = ['', 'work', 'main'].join('/');
const REGISTRY = ['registry', 'npmjs', 'org'].join('.');

const EXAMPLES: readonly Example[] = [
  {
    rule: size,
    path: SERVICE,
    refused: ['x\n'.repeat(201), `${TEST}|${'x\n'.repeat(401)}`],
    passed: ['x\n'.repeat(200), `${TEST}|${'x\n'.repeat(400)}`, `README.md|${'x\n'.repeat(900)}`],
  },
  {
    rule: imports,
    path: SERVICE,
    refused: [
      `import { a } from '@kopeck/epn/a';`,
      `import {\n  a,\n} from '@kopeck/sandbox/a';`,
      `import { a } from '../../epn/src/a.ts';`,
      `const { a } = await import('@kopeck/testing/a');`,
      `${CORE}|import express from 'express';`,
      `${CORE}|import { a } from '@kopeck/runtime/a';`,
      `${CORE}|import '../../runtime/src/a.ts';`,
      `packages/runtime/src/a.ts|import { a } from '@kopeck/sandbox/a';`,
      `packages/sandbox/src/a.ts|import { a } from '@kopeck/runtime/a';`,
      `packages/testing/src/a.ts|import { a } from '@kopeck/ledger/a';`,
    ],
    passed: [
      `import { a } from '@kopeck/core/a'; import { b } from '@kopeck/runtime/b';`,
      `import { a } from '@kopeck/sbp/a'; import { b } from './b.ts'; import axios from 'axios';`,
      `// once: import { a } from '@kopeck/epn/a';`,
      `${CORE}|import Joi from 'joi'; import { createHash } from 'node:crypto';`,
      `packages/testing/src/a.ts|import { a } from '@kopeck/runtime/a';`,
      `${TEST}|import { a } from '@kopeck/testing/a';`,
      `cli/src/start.ts|import { a } from '@kopeck/sandbox/a';`,
    ],
  },
  {
    rule: environment,
    path: SERVICE,
    refused: [
      `const url = process.env['REDIS_URL'];`,
      `const { env } = process;`,
      `import { env } from 'node:process';`,
      `packages/runtime/src/config.ts|loadConfig(schema, process.env)`,
    ],
    passed: [
      `// main.ts alone reads process.env`,
      `services/sbp/main.ts|loadConfig(schema, process.env)`,
      `cli/src/start.ts|process.env['KOPECK_HOME']`,
      `packages/testing/src/binaries.ts|process.env['PATH']`,
    ],
  },
  {
    rule: clock,
    path: SERVICE,
    refused: [
      `const now = Date.now();`,
      `const now = () => new Date();`,
      `const now = new Date;`,
      `const clock = Date.now;`,
      `performance.now()`,
      `${CORE}|process.hrtime.bigint()`,
    ],
    passed: [
      `new Date(seconds * 1000)`,
      `new Date(\n  Date.UTC(2024, 0, 1))`,
      `/** Not Date.now(): */`,
      `services/sbp/main.ts|const now = () => new Date();`,
      `packages/runtime/src/queue.ts|Date.now()`,
      `${TEST}|new Date()`,
    ],
  },
  {
    rule: money,
    path: SERVICE,
    refused: [
      `const x = parseFloat(text);`,
      `Number.parseFloat(text)`,
      `total.toFixed(2)`,
      `Number(row.amount)`,
      `Number(row['fee_amount'])`,
      `Number.parseInt(String(invoice.price), 10)`,
      `Math.round(order.amount * 100)`,
      `Math.max(0, (a.commissionFee))`,
      `const rub = +payment.amount;`,
      `${CORE}|return +revenue;`,
    ],
    passed: [
      `Number(row['attempts'])`,
      `Number(days) > 3 ? amount : price`,
      `addMoney(amount, +1)`,
      `const feed = Number(feedback);`,
      `Number(shown.amount); // tidy-allow float: a chart's axis, never booked`,
      `// tidy-allow float: a chart's axis, never booked\nNumber(shown.amount);`,
      `packages/sandbox/src/a.ts|Number(amount)`,
    ],
  },
  {
    rule: money,
    path: SERVICE,
    refused: [
      `Number(shown.amount); // tidy-allow float:`,
      `Number(amount); // tidy-allow other: because`,
    ],
    passed: [],
  },
  {
    rule: sql,
    path: SERVICE,
    refused: [
      `'UPDATE balances SET amount = amount + ? WHERE account = ?'`,
      '`UPDATE balances\n SET amount = amount -? WHERE account = ?`',
      `"SELECT ? * price FROM t"`,
      `'INSERT IGNORE INTO inbox VALUES (?)'`,
      'packages/runtime/migrations/1.sql|insert ignore into t values (1);',
    ],
    passed: [
      `'INSERT INTO b VALUES (?, ?) ON DUPLICATE KEY UPDATE amount = amount + VALUES(amount)'`,
      `'UPDATE b SET amount = amount + CAST(? AS DECIMAL(38,18))'`,
      `'SELECT * FROM t WHERE a = ? AND b IN (?)'`,
      `// never INSERT IGNORE\nconst sign = isDebit ? -1 : 1; const phone = /^\\+?7/;`,
      'packages/runtime/migrations/1.sql|-- not INSERT IGNORE\nINSERT INTO t VALUES (1);',
    ],
  },
  {
    rule: defaultExports,
    path: SERVICE,
    refused: [`export default function a() {}`, `export { a as default };`],
    passed: [`export function a() {}`, `vitest.config.ts|export default defineConfig({});`],
  },
  {
    rule: enums,
    path: SERVICE,
    refused: [`enum Status { Paid }`, `export const enum Status { Paid }`],
    passed: [`type Status = 'paid'; // no enum Status`],
  },
  {
    rule: classes,
    path: SERVICE,
    refused: [`class Ledger {}`, `export abstract class Ledger extends Base {`],
    passed: [`export class ConfigError extends Error {}`, `class A extends ConfigError {}`],
  },
  {
    rule: barrels,
    path: SERVICE,
    refused: [
      `export * from './a.ts';`,
      `export { a } from './a.ts';`,
      `export type {\n  A,\n  B,\n} from './a.ts';`,
      `packages/core/src/index.ts|export const a = 1;`,
    ],
    passed: [`const a = 1;\nexport { a };`, `import { a } from './a.ts';`],
  },
  {
    rule: realTests,
    path: TEST,
    refused: [
      `test.skip('a', f)`,
      `describe.only('a', f)`,
      `it.skipIf(x)('a', f)`,
      `vi.mock('mysql2')`,
    ],
    passed: [`test('skips what is done', f)`, `test.each(cases)('a', f)`],
  },
  {
    rule: traces,
    path: 'docs/a.md',
    refused: [
      `see ${WORKPLACE}/a.md`,
      `file://${WORKPLACE}`,
      `https://${REGISTRY}/vitest`,
      `package-lock.json|"resolved": "https://example.org/vitest.tgz"`,
    ],
    passed: [
      `https://example.org${WORKPLACE}/a.md`,
      `/home/linuxbrew/.linuxbrew/bin and /usr/bin`,
      `package-lock.json|"resolved": "packages/core"`,
    ],
  },
  {
    rule: privatePackages,
    path: 'packages/core/package.json',
    refused: [`{"name": "a"}`, `{"private": "true"}`],
    passed: [`{"private": true}`, `tsconfig.json|{}`],
  },
];

for (const { rule, path, refused, passed } of EXAMPLES) {
  describe(rule.claim, () => {
    for (const example of refused) {
      test(`refuses ${shorten(example)}`, () => {
        expect(rule.check(fileOf(example, path))).toHaveLength(1);
      });
    }
    for (const example of passed) {
      test(`lets pass ${shorten(example)}`, () => {
        expect(rule.check(fileOf(example, path))).toEqual([]);
      });
    }
  });
}

test('every rule has examples', () => {
  const shown = new Set(EXAMPLES.map(({ rule }) => rule));
  expect(RULES.filter((rule) => !shown.has(rule))).toEqual([]);
});

test('a message says where, what, and what to do instead', () => {
  const text = `const a = 1;\n/* a\n   comment */ const now = Date.now();\n`;
  expect(clock.check({ path: SERVICE, text })).toEqual([
    `${SERVICE}:3: \`Date.now\`: take \`now: () => Date\`; what depends on the hour cannot be tested`,
  ]);
});

describe('every source and every provider is made of the same files', () => {
  const KNOWN = [
    ...folder('services/crypto/src/cryptobot', 'config verify parse normalise source'),
    ...folder('services/crypto/src/telegram', 'config verify parse normalise source'),
    ...folder('services/epn/src/epn', 'config verify parse normalise source'),
    ...folder('services/sbp/src/raiffeisen', 'config client callback states provider'),
    ...['3x-ui', 'marzban', 'remnawave', 'hiddify', 'sandbox'].flatMap((name) =>
      folder(`services/admin/src/panels/${name}`, 'config client panel'),
    ),
  ];

  test('lets the full sets pass, and files beside them', () => {
    expect(checkShapes([...KNOWN, ...folder('services/sbp/src', 'provider routes')])).toEqual([]);
  });

  test('misses a file in a known source', () => {
    const files = KNOWN.filter(({ path }) => path !== 'services/epn/src/epn/verify.ts');
    expect(checkShapes(files)).toEqual([
      'services/epn/src/epn: a source without verify.ts; ' +
        'the set is config.ts, verify.ts, parse.ts, normalise.ts, source.ts',
    ]);
  });

  test('recognises a new source and a new provider', () => {
    const added = [
      ...folder('services/epn/src/svix', 'source verify parse normalise'),
      ...folder('services/sbp/src/tochka', 'provider config client states'),
    ];
    expect(checkShapes([...KNOWN, ...added])).toEqual([
      expect.stringContaining('services/epn/src/svix: a source without config.ts'),
      expect.stringContaining('services/sbp/src/tochka: an SBP provider without callback.ts'),
    ]);
  });

  function folder(path: string, names: string) {
    const text = 'export const source: Source<Proof, Notification> = {};';
    return names.split(' ').map((name) => ({ path: `${path}/${name}.ts`, text }));
  }
});

function fileOf(example: string, usualPath: string) {
  const [path, text] = /^[\w./-]+\|/.test(example) ? split(example) : [usualPath, example];
  return { path, text };
}

function split(example: string): [string, string] {
  const at = example.indexOf('|');
  return [example.slice(0, at), example.slice(at + 1)];
}

function shorten(example: string): string {
  const line = JSON.stringify(example);
  return line.length <= 80 ? line : `${line.slice(0, 80)}…`;
}
