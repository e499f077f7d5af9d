import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { postbackUrl } from '../../../services/epn/src/epn/postback-url.ts';
import { Advice, type Context } from './command.ts';
import { originOf } from './epn.ts';

const KEY = 'EPN_SECRET_TOKEN';
const USAGE = [
  'usage: npm run kopeck -- rotate-token epn [--finish]',
  'puts a new token before the current one; --finish ends the time of the older one',
].join('\n');

/**
 * Two tokens are accepted while the partner's cabinet still has the older URL, so that no postback is
 * lost: first the new one is added, then the cabinet is changed, then the older one is dropped.
 */
export async function run(args: readonly string[], context: Context): Promise<number> {
  const [partner, flag, ...rest] = args;
  if (partner !== 'epn' || rest.length > 0 || ![undefined, '--finish'].includes(flag)) {
    throw new Advice(USAGE);
  }
  const file = fileOf(context);
  const tokens = file.read();
  if (flag === '--finish') {
    file.write(tokens.slice(0, 1));
    context.say(
      `The older token is gone from ${file.path}. Restart epn: then only the new one opens.`,
    );
    return 0;
  }
  if (tokens.length > 1) throw new Advice(twoAlready(file.path));
  const added = [randomBytes(32).toString('hex'), ...tokens];
  file.write(added);
  context.say(instructions(file.path, postbackUrl(originOf(context), added[0] ?? '')));
  return 0;
}

/** Another new one would push out the older, which EPN may still use. */
function twoAlready(path: string): string {
  return [
    `${path} has a new token before the older one already. If the cabinet of EPN has the new URL:`,
    'npm run kopeck -- rotate-token epn --finish',
  ].join('\n');
}

function instructions(path: string, url: string): string {
  return [
    `${path} has a new token before the current one. Now:`,
    '1. restart epn: from then on both are accepted;',
    '2. put this URL into the cabinet of EPN:',
    url,
    '3. when it has sent its first postback there: npm run kopeck -- rotate-token epn --finish',
  ].join('\n');
}

interface TokenFile {
  readonly path: string;
  readonly read: () => readonly string[];
  readonly write: (tokens: readonly string[]) => void;
}

/** Where the token is kept: a file of its own, .env, or the secrets of a suite on this machine. */
function fileOf({ find, envFiles }: Context): TokenFile {
  const own = find(`${KEY}_FILE`);
  if (own !== undefined) return secretFile(own);
  const path = envFiles.find((each) => existsSync(each) && LINE.test(readFileSync(each, 'utf8')));
  if (path === undefined) {
    throw new Advice(`${KEY} is in none of ${envFiles.join(', ')}: set it there, or ${KEY}_FILE.`);
  }
  return envFile(path);
}

const LINE = new RegExp(`^${KEY}=(.*)$`, 'm');

function envFile(path: string): TokenFile {
  const text = readFileSync(path, 'utf8');
  return {
    path,
    read: () => listOf((LINE.exec(text)?.[1] ?? '').replaceAll(/['"]/g, '')),
    write: (tokens) => replace(path, text.replace(LINE, `${KEY}=${tokens.join(',')}`)),
  };
}

function secretFile(path: string): TokenFile {
  return {
    path,
    read: () => listOf(readFileSync(path, 'utf8')),
    write: (tokens) => replace(path, `${tokens.join(',')}\n`),
  };
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((token) => token.trim())
    .filter(Boolean);
}

/** Whole or not at all, with the rights that it had. */
function replace(path: string, text: string): void {
  const unfinished = `${path}.tmp`;
  writeFileSync(unfinished, text, { mode: statSync(path).mode });
  renameSync(unfinished, path);
}
