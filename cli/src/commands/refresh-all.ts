import { setTimeout as delay } from 'node:timers/promises';
import { exchange } from '../http.ts';
import { Advice, type Context } from './command.ts';

const WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 500;

interface Progress {
  readonly state: 'running' | 'finished' | 'cancelled';
  readonly total: number;
  readonly done: number;
  readonly ok: number;
  readonly partial: number;
  readonly failed: number;
  readonly connectionErrors: number;
  readonly report: Readonly<Record<string, string>> | null;
}

/** `refresh-all [--lang en]`: what the button of an operator's bot does. 1: not all could be refreshed. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  const language = args[0] === '--lang' ? args[1] : args[0] === undefined ? 'ru' : undefined;
  if (language !== 'ru' && language !== 'en') throw new Advice('usage: refresh-all [--lang ru|en]');

  const { jobId } = (await ask(context, 'POST', '/admin/update_configs')) as { jobId: string };
  context.say(`job ${jobId}`);
  const progress = await follow(context, jobId);
  context.say(`\n${progress.report?.[language] ?? ''}`);
  return progress.ok === progress.total ? 0 : 1;
}

async function follow(context: Context, jobId: string): Promise<Progress> {
  let told = -1;
  for (;;) {
    const progress = (await ask(context, 'GET', `/admin/update_configs/jobs/${jobId}`)) as Progress;
    if (progress.done !== told) context.say(lineOf(progress));
    if (progress.state !== 'running') return progress;
    told = progress.done;
    await delay(LOOK_EVERY_MS);
  }
}

function lineOf({ done, total, ok, partial, failed, connectionErrors }: Progress): string {
  return `${done}/${total}  ok ${ok}  partial ${partial}  failed ${failed}  connection ${connectionErrors}`;
}

async function ask(context: Context, method: 'GET' | 'POST', path: string): Promise<unknown> {
  const url = context.value('ADMIN_URL');
  const [key = ''] = context.value('ADMIN_API_KEY').split(',');
  const headers = { authorization: `Bearer ${key.trim()}` };
  const { status, body } = await exchange({ method, url: url + path, headers }, WITHIN_MS).catch(
    () => {
      throw new Advice(`Nobody answers at ${url}: is admin running?`);
    },
  );
  if (status === 401)
    throw new Advice('The key is refused: set ADMIN_API_KEY to the one that admin has.');
  if (status !== 200 && status !== 202)
    throw new Advice(`${method} ${path} was answered with ${status}.`);
  return body;
}
