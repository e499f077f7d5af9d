import { Advice, type Context } from './command.ts';

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
  const response = await fetch(`${context.value('CRYPTO_URL')}/api/crypto/reconcile`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token.trim()}` },
  });
  if (!response.ok) throw new Advice(`crypto answered HTTP ${response.status}`);

  const { reconciled } = (await response.json()) as { readonly reconciled: readonly Reconciled[] };
  for (const { account, state, checked, found } of reconciled) {
    context.say(`${account}: ${state}, ${checked} new in the list, ${found} without a webhook`);
  }
  return reconciled.every(({ state }) => state === 'done') ? 0 : 1;
}
