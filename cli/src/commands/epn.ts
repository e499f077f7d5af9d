import { postbackUrl } from '../../../services/epn/src/epn/postback-url.ts';
import { publicOrigin } from '../public-origin.ts';
import { Advice, type Context } from './command.ts';
import { tellMissing } from './epn-missing.ts';

const USAGE = `usage: npm run kopeck -- epn url
       npm run kopeck -- epn missing

url: the postback URL for the cabinet of EPN. missing: completed actions of the books that the statistics
of EPN do not list; exit code 1 if there are any.`;

export async function run(args: readonly string[], context: Context): Promise<number> {
  const [verb, ...more] = args;
  if (more.length > 0) throw new Advice(USAGE);
  if (verb === 'missing') return tellMissing(context);
  if (verb !== 'url') throw new Advice(USAGE);
  context.say(postbackUrl(originOf(context), currentToken(context)));
  return 0;
}

/** The public name, where there is one; otherwise that of a suite on this machine. */
export function originOf(context: Context): string {
  return publicOrigin(context, 'EPN_URL');
}

function currentToken({ value }: Context): string {
  return (value('EPN_SECRET_TOKEN').split(',')[0] ?? '').trim();
}
