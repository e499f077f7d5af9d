// Just enough of a scanner to tell code, strings and comments apart. It does not know regular
// expressions: a quote in one may hide the rest of its line, never more than that.

const TOKEN =
  /(?<comment>\/\/[^\n]*|\/\*[^]*?\*\/)|(?<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[^]|[^`\\])*`)/g;

/** The text with its comments blanked out, every other character in its place. */
export function codeOnly(text: string): string {
  return text.replace(TOKEN, (token: string) => (isComment(token) ? blank(token) : token));
}

export interface Literal {
  /** Where it begins in the text. */
  readonly index: number;
  readonly text: string;
}

/** The strings and templates of the code, quotes included. */
export function stringsIn(text: string): Literal[] {
  return [...text.matchAll(TOKEN)]
    .filter(({ groups }) => groups?.['string'] !== undefined)
    .map((match) => ({ index: match.index, text: match[0] }));
}

function isComment(token: string): boolean {
  return token.startsWith('//') || token.startsWith('/*');
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}
