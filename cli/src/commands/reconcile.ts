import { exchange } from '../http.ts';
import { Advice, type Context } from './command.ts';

/** Lists of years are read page by page. */
const WITHIN_MS = 10 * 60_000;

interface Reconciled {
  readonly account: string;
  readonly state: string;
  readonly checked: number;
  readonly found: number;
}

/** Exit code 1: a list could not be read. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  if (args.length > 0) throw new Advice('usage: npm run kopeck -- reconcile');
  const [token = ''] = context.value('CRYPTO_API_TOKEN').split(',');
  const url = context.value('CRYPTO_URL');
  const headers = { authorization: `Bearer ${token.trim()}` };
  const { status, body } = await exchange(
    { method: 'POST', url: `${url}/api/crypto/reconcile`, headers },
    WITHIN_MS,
  ).catch(() => {
    throw new Advice(`Nobody answers at ${url}: is crypto running?`);
  });
  if (status === 401)
    throw new Advice('The token is refused: CRYPTO_API_TOKEN is another one there.');
  if (status !== 200) throw new Advice(`crypto answered HTTP ${status}`);

  const { reconciled } = body as { readonly reconciled: readonly Reconciled[] };
  for (const { account, state, checked, found } of reconciled) {
    context.say(`${account}: ${state}, ${checked} new in the list, ${found} without a webhook`);
  }
  return reconciled.every(({ state }) => state === 'done') ? 0 : 1;
}
