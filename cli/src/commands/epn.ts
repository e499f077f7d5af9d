import { postbackUrl } from '../../../services/epn/src/epn/postback-url.ts';
import { Advice, type Context } from './command.ts';

const USAGE = 'usage: npm run kopeck -- epn url\nprints the postback URL for the cabinet of EPN';

export async function run(args: readonly string[], context: Context): Promise<number> {
  if (args.length !== 1 || args[0] !== 'url') throw new Advice(USAGE);
  context.say(postbackUrl(originOf(context), currentToken(context)));
  return 0;
}

/** The public name, where there is one; otherwise that of a suite on this machine. */
export function originOf({ find, value }: Context): string {
  const domain = find('WEBHOOK_DOMAIN');
  return domain === undefined || domain === 'localhost' ? value('EPN_URL') : `https://${domain}`;
}

function currentToken({ value }: Context): string {
  return (value('EPN_SECRET_TOKEN').split(',')[0] ?? '').trim();
}
