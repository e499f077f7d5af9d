import { isCode, isTest, lineAt, lineRule, type Rule } from './rule.ts';

const CONFIGURATION = /^vitest(\.\w+)?\.config\.ts$/;

export const defaultExports = lineRule({
  claim: 'nothing is exported as the default',
  appliesTo: (path) => isCode(path) && !CONFIGURATION.test(path),
  never: /^\s*export default\b|\bas default\b/,
  instead: 'export it by its name, so that one search finds all its uses',
});

export const enums = lineRule({
  claim: 'there are no enums',
  appliesTo: isCode,
  never: /^\s*(?:export |declare |const )*enum \w/,
  instead: "write a union of words, 'paid' | 'failed', and a Record over it",
});

export const classes = lineRule({
  claim: 'only errors are classes',
  appliesTo: isCode,
  never: /^\s*(?:export |abstract )*class \w+(?! extends \w*Error\b)[^\w]/,
  instead: 'write functions that take what they need as arguments',
});

/** May be spread over several lines. */
const RE_EXPORT = /^export (?:type )?(?:\*|\{[^}]*\}\s*from\b)/m;

export const barrels: Rule = {
  claim: 'there are no barrels',
  check: ({ path, text }) => {
    if (!isCode(path)) return [];
    if (/(^|\/)index\.ts$/.test(path)) return [`${path}: name it for what it holds`];
    const match = RE_EXPORT.exec(text);
    if (match === null) return [];
    return [`${path}:${lineAt(text, match.index)}: re-exports: import from the file that has it`];
  },
};

export const realTests = lineRule({
  claim: 'no test is skipped, left alone or mocked',
  appliesTo: (path) => isCode(path) && isTest(path),
  never:
    /\b(?:test|it|describe)\.(?:only|skip|skipIf|runIf|todo|fails)\b|\bvi\.(?:mock|doMock|useFakeTimers)\b/,
  instead: 'run it, against the real thing; the clock and the network are arguments',
});
