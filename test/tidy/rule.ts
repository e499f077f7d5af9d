import { codeOnly } from './code.ts';

/** A file of the repository. */
export interface File {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** A house rule: one message for every place where it is broken, and none where it is kept. */
export interface Rule {
  /** A claim that is true of a tidy repository. */
  readonly claim: string;
  readonly check: (file: File) => readonly string[];
}

export interface LineRule {
  readonly claim: string;
  readonly appliesTo: (path: string) => boolean;
  /** What code may not match; `^` is the beginning of a line. Comments are not looked at. */
  readonly never: RegExp;
  /** What to write instead. */
  readonly instead: string;
  /** The word in `// tidy-allow <word>: <reason>` that excuses a line; without it, nothing does. */
  readonly allow?: string;
}

/** Most rules are of this kind: something that code may not hold. */
export function lineRule({ claim, appliesTo, never, instead, allow }: LineRule): Rule {
  return {
    claim,
    check: ({ path, text }) => {
      if (!appliesTo(path)) return [];
      const asWritten = text.split('\n');
      const code = codeOnly(text);
      return [...code.matchAll(new RegExp(never, 'gm'))]
        .map((match) => ({ found: match[0].trim(), line: lineAt(code, match.index) }))
        .filter(({ line }) => !isExcused(asWritten, line, allow))
        .map(({ found, line }) => `${path}:${line}: \`${found}\`: ${instead}`);
    },
  };
}

/** The number of the line that holds a place of the text, from 1. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

export function isCode(path: string): boolean {
  return /\.(ts|mts|mjs|js)$/.test(path);
}

/** Code that helps us to work and never meets a customer. */
export function isTest(path: string): boolean {
  return /(^|\/)test\//.test(path) || path.startsWith('bench/') || path === 'vitest.config.ts';
}

/** The two places that read the environment and the clock, and hand them on as arguments. */
export function isEdge(path: string): boolean {
  return /^services\/[^/]+\/main\.ts$/.test(path) || path.startsWith('cli/');
}

/** An excuse stands on the line or above it, and gives a reason. */
function isExcused(lines: readonly string[], line: number, allow: string | undefined): boolean {
  if (allow === undefined) return false;
  const excuse = new RegExp(`// tidy-allow ${allow}: \\S.{9,}`);
  return lines.slice(Math.max(0, line - 2), line).some((written) => excuse.test(written));
}
