import { postbackUrl } from '../../../services/epn/src/epn/postback-url.ts';
import { publicOrigin } from '../public-origin.ts';
import { Advice, type Context } from './command.ts';

const USAGE = 'usage: npm run kopeck -- epn url\nprints the postback URL for the cabinet of EPN';

export async function run(args: readonly string[], context: Context): Promise<number> {
  if (args.length !== 1 || args[0] !== 'url') throw new Advice(USAGE);
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
