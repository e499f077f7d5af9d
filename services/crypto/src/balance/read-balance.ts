export interface Balance {
  readonly user: string;
  readonly balances: readonly { readonly asset: string; readonly amount: string }[];
  readonly subscriptions: readonly { readonly plan: string; readonly activeUntil: string | null }[];
}

/** As the ledger has committed it. Throws while the ledger cannot be asked. */
export type ReadBalance = (user: string) => Promise<Balance>;

const WITHIN_MS = 2_000;

/** This service has no database: it asks the ledger, with a token that reads users' accounts only. */
export function balanceReader(ledgerUrl: string, token: string): ReadBalance {
  async function get<T>(path: string): Promise<T> {
    const response = await fetch(`${ledgerUrl}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    if (!response.ok) throw new Error(`the ledger answered HTTP ${response.status}`);
    return (await response.json()) as T;
  }

  return async (user) => {
    const account = encodeURIComponent(`user:${user}`);
    const [{ balances }, { subscriptions }] = await Promise.all([
      get<Pick<Balance, 'balances'>>(`/api/ledger/balances/${account}`),
      get<Pick<Balance, 'subscriptions'>>(`/api/ledger/subscriptions/${account}`),
    ]);
    return { user, balances, subscriptions };
  };
}
