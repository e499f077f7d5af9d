import { isCode, isTest, type Rule } from './rule.ts';

const MAX_LINES = 200;
const MAX_LINES_OF_TEST = 400;

export const size: Rule = {
  claim: `no file is longer than ${MAX_LINES} lines, no test longer than ${MAX_LINES_OF_TEST}`,
  check: ({ path, text }) => {
    if (!isCode(path)) return [];
    const limit = isTest(path) ? MAX_LINES_OF_TEST : MAX_LINES;
    const lines = text.trimEnd().split('\n').length;
    return lines <= limit
      ? []
      : [`${path}: ${lines} lines, and ${limit} are allowed: give a part of it a file and a name`];
  },
};
