import { posix } from 'node:path';
import { codeOnly } from './code.ts';
import { isCode, isTest, type Rule } from './rule.ts';

const SPECIFIER = /(?:\bfrom|\bimport|\bimport\()\s*['"]([^'"]+)['"]/g;

/** What a folder may import of ours, besides itself. Tests and the cli may import anything. */
const OURS: readonly (readonly [folder: RegExp, allowed: readonly string[]])[] = [
  [/^packages\/core\//, []],
  [/^packages\/runtime\//, ['core']],
  [/^packages\/sandbox\//, ['core']],
  [/^packages\/testing\//, ['core', 'runtime']],
  [/^services\//, ['core', 'runtime']],
];

const FOREIGN_IN_CORE = /^(node:|joi$)/;

export const imports: Rule = {
  claim: 'dependencies point one way: services to runtime to core; core needs joi and node alone',
  check: ({ path, text }) => {
    if (!isCode(path) || isTest(path)) return [];
    const allowed = OURS.find(([folder]) => folder.test(path))?.[1];
    if (allowed === undefined) return [];

    const home = path.split('/').slice(0, 2).join('/');
    return specifiersIn(text)
      .filter((specifier) => !mayImport({ path, home, allowed }, specifier))
      .map((specifier) => `${path}: imports '${specifier}': ${advice(home, allowed)}`);
  },
};

interface Importer {
  readonly path: string;
  readonly home: string;
  readonly allowed: readonly string[];
}

function mayImport({ path, home, allowed }: Importer, specifier: string): boolean {
  if (specifier.startsWith('.')) {
    return posix.join(posix.dirname(path), specifier).startsWith(`${home}/`);
  }
  const [scope, name = ''] = specifier.split('/');
  if (scope === '@kopeck') return home.endsWith(`/${name}`) || allowed.includes(name);
  return home !== 'packages/core' || FOREIGN_IN_CORE.test(specifier);
}

function specifiersIn(text: string): string[] {
  return [...codeOnly(text).matchAll(SPECIFIER)].map(([, specifier = '']) => specifier);
}

function advice(home: string, allowed: readonly string[]): string {
  const others = allowed.map((name) => `, @kopeck/${name}`).join('');
  return `${home} may import itself${others}${home === 'packages/core' ? ', joi and node:' : ''}`;
}
