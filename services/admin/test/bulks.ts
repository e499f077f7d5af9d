import { expect } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import type { Progress } from '../src/bulk/progress.ts';
import { seedPurchase } from '../src/seed.ts';
import { KEY, type RunningAdmin } from './running-admin.ts';

export const HEADERS = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };

export interface Bulks {
  /** As many active purchases, dealt out to the servers in turn; the panels know the buyers. */
  readonly purchases: (count: number, servers: readonly string[]) => Promise<readonly string[]>;
  /** One purchase that lives on all of these servers. */
  readonly purchaseOn: (servers: readonly string[]) => Promise<string>;
  readonly post: (path: string, body?: object) => Promise<{ status: number; body: never }>;
  /** The id of the new job. */
  readonly start: (body?: object) => Promise<string>;
  readonly retryFailed: (jobId: string) => Promise<string>;
  readonly look: (jobId: string) => Promise<Progress>;
  readonly finished: (jobId: string) => Promise<Progress>;
  /** What the ledger is told of a purchase, at least one event. */
  readonly told: (purchaseId: string) => Promise<readonly unknown[]>;
}

/** Bulk refreshes of a running admin, over HTTP. */
export function bulksOf(admin: () => RunningAdmin): Bulks {
  let last = 0;

  async function purchaseOn(servers: readonly string[]): Promise<string> {
    const id = String((last += 1));
    const externalId = `buyer/${id}`;
    const refs = servers.map((serverId) => ({ serverId, externalId }));
    await seedPurchase(admin().pool, { id, servers: refs });
    for (const server of servers) {
      const links = [`vless://${id}@${server}.vpn-fixture.test:443?type=tcp#r`];
      await admin().subscribe({ server, externalId, links });
    }
    return id;
  }

  async function post(path: string, body?: object): Promise<{ status: number; body: never }> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const url = `${admin().url}${path}`;
    const response = await fetch(url, { method: 'POST', headers: HEADERS, ...init });
    return { status: response.status, body: (await response.json()) as never };
  }

  async function started(path: string, body?: object): Promise<string> {
    const answer = await post(path, body);
    expect(answer.status).toBe(202);
    return (answer.body as { jobId: string }).jobId;
  }

  async function look(jobId: string): Promise<Progress> {
    const url = `${admin().url}/admin/update_configs/jobs/${jobId}`;
    return (await (await fetch(url, { headers: HEADERS })).json()) as Progress;
  }

  return {
    purchases: (count, servers) =>
      Promise.all(
        Array.from({ length: count }, (_none, at) =>
          purchaseOn([servers[at % servers.length] ?? '']),
        ),
      ),
    purchaseOn,
    post,
    start: (body) => started('/admin/update_configs', body),
    retryFailed: (jobId) => started(`/admin/update_configs/jobs/${jobId}/retry-failed`),
    look,
    finished: (jobId) =>
      waitFor(
        async () => {
          const progress = await look(jobId);
          return progress.state !== 'running' && progress;
        },
        { what: 'the bulk to finish' },
      ),
    told: (purchaseId) =>
      waitFor(async () => {
        const all = await admin().queued();
        const mine = all.filter(({ subject }) => subject === `purchase:${purchaseId}`);
        return mine.length > 0 && mine.map(({ data }) => (data as { result?: unknown }).result);
      }),
  };
}

export function sumOf({ ok, partial, failed, connectionErrors, cancelled }: Progress): number {
  return ok + partial + failed + connectionErrors + cancelled;
}
