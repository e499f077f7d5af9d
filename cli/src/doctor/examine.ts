import { redactor } from '@kopeck/runtime/redact';
import { Advice, type Context } from '../commands/command.ts';
import { error, type Check, type Finding } from './check.ts';
import { secretsOf } from './secrets.ts';

/** A finding, and which check has it. */
export type Examined = Finding & { readonly check: string };

export interface ExamineOptions {
  readonly withinMs: number;
}

/** All checks at once, told in their order. One that hangs or throws costs the others nothing. */
export async function examine(
  checks: readonly Check[],
  context: Context,
  { withinMs }: ExamineOptions = { withinMs: 15_000 },
): Promise<readonly Examined[]> {
  // What a partner answered may stand in a finding, and may quote what it was asked.
  const clean = redactor(secretsOf(context));
  const found = await Promise.all(
    checks.map(async (check) => {
      const findings = await inTime(check, context, withinMs);
      return findings.map((finding) => cleaned({ ...finding, check: check.name }, clean));
    }),
  );
  return found.flat();
}

async function inTime(
  check: Check,
  context: Context,
  withinMs: number,
): Promise<readonly Finding[]> {
  const late = Promise.withResolvers<readonly Finding[]>();
  const timer = setTimeout(
    () => late.resolve([unexamined(`no answer within ${withinMs / 1_000} s`)]),
    withinMs,
  );
  try {
    return await Promise.race([check.run(context), late.promise]);
  } catch (thrown) {
    if (thrown instanceof Advice) return [error('something needed is not set', thrown.message)];
    return [unexamined(codeOf(thrown))];
  } finally {
    clearTimeout(timer);
  }
}

function unexamined(why: string): Finding {
  return error(
    `could not be examined: ${why}`,
    'See that what it asks for runs and can be reached from here, then ask again.',
  );
}

/** The code alone: a message may hold a URL, and a URL a password. */
function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'unknown';
  return 'code' in thrown ? String(thrown.code) : thrown.name;
}

function cleaned(examined: Examined, clean: (text: string) => string): Examined {
  return examined.severity === 'ok'
    ? { ...examined, what: clean(examined.what) }
    : { ...examined, what: clean(examined.what), cure: clean(examined.cure) };
}
