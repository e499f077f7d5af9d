import { expect, test } from 'vitest';
import { fetchAll } from '../src/fetch-all.ts';
import { PanelError, type VpnPanel } from '../src/panels/port.ts';

const now = (): Date => new Date();
const refs = Array.from({ length: 30 }, (_none, index) => ({
  serverId: `s${index}`,
  externalId: 'buyer',
}));

function panelsOf(fetch: VpnPanel['fetch']): ReadonlyMap<string, VpnPanel> {
  const capabilities = { bulkFetch: false, revoke: 'none', stableLinks: true } as const;
  const panel = { capabilities, probe: () => Promise.resolve('1'), fetch };
  return new Map(refs.map(({ serverId }) => [serverId, panel]));
}

test('thirty servers that hang end with the deadline of the whole, three at a time', async () => {
  let open = 0;
  let most = 0;
  let late = 0;
  const hanging: VpnPanel['fetch'] = (_ref, signal) =>
    new Promise((_resolve, reject) => {
      const end = (): void => {
        open -= 1;
        reject(new PanelError('timeout'));
      };
      open += 1;
      most = Math.max(most, open);
      if (signal.aborted) late += 1;
      if (signal.aborted) end();
      else signal.addEventListener('abort', end);
    });
  const deadlines = { answerMs: 50, purchaseMs: 120 };
  const fetched = await fetchAll(refs, { panels: panelsOf(hanging), deadlines, now });
  expect(fetched.map(({ serverId }) => serverId)).toEqual(refs.map(({ serverId }) => serverId));
  expect(new Set(fetched.map(({ answer }) => answer))).toEqual(new Set(['timeout']));
  expect(most).toBe(3);
  expect(late).toBeGreaterThan(refs.length / 2);
});

test('a mistake of ours is no mistake of a panel', async () => {
  const broken: VpnPanel['fetch'] = () => Promise.reject(new TypeError('ours'));
  const deadlines = { answerMs: 1_000, purchaseMs: 1_000 };
  await expect(fetchAll(refs, { panels: panelsOf(broken), deadlines, now })).rejects.toThrow(
    'ours',
  );
});
