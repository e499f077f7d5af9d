import { isCode, isTest, lineRule } from './rule.ts';

const MONEY =
  '\\w*(?:[Aa]mount|[Pp]rice|\\bfees?\\b|Fees?\\b|[Rr]evenue|[Cc]ommission|[Cc]ashback|[Bb]alance|[Mm]oney|[Kk]opecks|[Rr]oubles)';

export const money = lineRule({
  claim: 'money is never a float',
  appliesTo: (path) => isCode(path) && !isTest(path) && /^(packages\/core|services)\//.test(path),
  never: new RegExp(
    [
      '\\bparseFloat\\b',
      '\\.toFixed\\(',
      `\\b(?:Number|parseInt|Math\\.\\w+)\\((?:[^()]|\\([^()]*\\)|\\()*?${MONEY}`,
      `(?:^|[=(,:?]|return)\\s*\\+(?:\\w+\\.)*${MONEY}`,
    ].join('|'),
  ),
  instead: 'money is decimal text, or a bigint from @kopeck/core/money',
  allow: 'float',
});
