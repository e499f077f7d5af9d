import { stringsIn, type Literal } from './code.ts';
import { isCode, lineAt, type Rule } from './rule.ts';

const LOOKS_LIKE_SQL = /\b(SELECT|INSERT|UPDATE|DELETE|REPLACE|SET|VALUES|WHERE)\b/;
const ARITHMETIC = /[\w)`]\s*[-+*/]\s*\?|\?\s*[-+*/]\s*[\w(`]/;
const IGNORE = /\b(?:INSERT|UPDATE)\s+IGNORE\b/i;

const BROKEN: readonly (readonly [never: RegExp, why: string])[] = [
  [ARITHMETIC, 'a bound string becomes a DOUBLE: write CAST(? AS DECIMAL(38,18))'],
  [IGNORE, 'it hides every error: let the unique key throw, and catch that'],
];

export const sql: Rule = {
  claim: 'SQL neither reckons with a bound value nor swallows errors',
  check: ({ path, text }) =>
    statementsIn(path, text).flatMap((statement) =>
      BROKEN.flatMap(([never, why]) => {
        const match = never.exec(statement.text);
        if (match === null) return [];
        const line = lineAt(text, statement.index + match.index);
        return [`${path}:${line}: \`${match[0].trim()}\` in SQL: ${why}`];
      }),
    ),
};

function statementsIn(path: string, text: string): Literal[] {
  if (path.endsWith('.sql')) return [{ index: 0, text: withoutSqlComments(text) }];
  // The bugs that chaos must find are written down there.
  if (!isCode(path) || path === 'test/chaos/plants.ts') return [];
  return stringsIn(text).filter((literal) => LOOKS_LIKE_SQL.test(literal.text));
}

function withoutSqlComments(text: string): string {
  return text.replace(/--[^\n]*|\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
}
