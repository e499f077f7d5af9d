import { Agent, request } from 'node:http';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ConfigError, loadConfig } from '@kopeck/runtime/config';
import { createApp } from '@kopeck/runtime/http-app';
import { listen, type Listening } from '@kopeck/runtime/listen';
import { noLog } from '@kopeck/runtime/log';
import { createMetrics } from '@kopeck/runtime/metrics';
import { epnPostback } from '@kopeck/sandbox/epn/epn';
import { waitFor } from '@kopeck/testing/wait-for';
import { epnServiceConfig } from '../src/config.ts';
import { ledgerDownKey } from '../src/ledger-watch.ts';
import { loadNetworks } from '../src/load-networks.ts';
import type { ConfiguredNetwork } from '../src/network/config.ts';
import { epnRoutes } from '../src/routes.ts';
import { OLD_TOKEN, ORDER, TOKEN } from './postbacks.ts';
import { runEpn, type RunningEpn } from './running-epn.ts';

let epn: RunningEpn;
beforeAll(async () => {
  epn = await runEpn(inject('redisUrl'));
});
afterAll(() => epn.close());

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.json() };
}

/** The event with this id, once it has reached the queue. */
function queuedEvent(id: string) {
  const find = async () => (await epn.queued()).find((event) => event.id === id);
  return waitFor(find, { what: `${id} to be queued` });
}

function idIn({ body }: Answer): string {
  return (body as { id: string }).id;
}

describe('a postback over HTTP', () => {
  test('of each status is accepted once, and a repeat answered with the same id', async () => {
    const order = `${epn.webhook}?click_id=123&order_number=ORDER-001&uniq_id=EPN-12345`;
    for (const status of ['waiting', 'completed', 'rejected']) {
      const url = `${order}&order_status=${status}&revenue=1500&commission_fee=100`;
      const first = await ask(url);
      expect(first).toEqual({
        status: 200,
        body: { status: 'accepted', id: expect.any(String) as string },
      });
      expect(await ask(url)).toEqual({
        status: 200,
        body: { status: 'duplicate', id: idIn(first) },
      });
      expect(await queuedEvent(idIn(first))).toMatchObject({
        type: `affiliate.${status}`,
        subject: 'affiliate:epn_bz:EPN-12345',
        data: { clickId: '123', commission: { asset: 'RUB', amount: '100' } },
      });
    }
  });

  test('comes as a form and as JSON, with the token before the current one too', async () => {
    const form = await ask(`${epn.url}/webhook/${OLD_TOKEN}`, {
      method: 'POST',
      body: new URLSearchParams(`${ORDER}&uniq_id=F-1`),
    });
    const json = await ask(epn.webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: '{"click_id":"123","order_number":"ORDER-001","uniq_id":"F-1","order_status":"waiting"}',
    });
    expect(form).toMatchObject({ status: 200, body: { status: 'accepted' } });
    expect(json).toEqual({ status: 200, body: { status: 'duplicate', id: idIn(form) } });
  });

  test('is what the sandbox sends, with every macro filled in', async () => {
    const [origin, token] = [epn.url, TOKEN];
    const url = epnPostback({ origin, token, orderNumber: 'ORDER&?#1', status: 'completed' });
    const event = await queuedEvent(idIn(await ask(url)));
    expect(event).toMatchObject({
      type: 'affiliate.completed',
      subject: 'affiliate:epn_bz:EPN-ORDER&?#1',
      data: { orderNumber: 'ORDER&?#1', fields: { offer_name: 'AliExpress RU&CIS' } },
    });
  });

  test('without a required field or with a literal macro is a 400, and is kept', async () => {
    const complaints = [
      ['click_id=1', { error: 'missing_field', field: 'order_number' }],
      ['click_id={click_id}&order_number=1', { error: 'literal_macro', field: 'click_id' }],
      ['click_id=1&order_number=a%00', { error: 'unreadable_field', field: 'order_number' }],
    ] as const;
    for (const [query, body] of complaints) {
      expect(await ask(`${epn.webhook}?${query}`)).toEqual({ status: 400, body });
      const kept = async () =>
        (await epn.queued()).find(
          ({ type, evidence }) => type === 'quarantined' && evidence.includes(query),
        );
      expect(await waitFor(kept)).toMatchObject({ data: { reason: body.error } });
    }
  });

  test('of an unknown status is accepted and quarantined', async () => {
    const answer = await ask(`${epn.webhook}?${ORDER}&order_status=paid`);
    expect(answer).toMatchObject({ status: 200, body: { status: 'accepted' } });
    expect(await queuedEvent(idIn(answer))).toMatchObject({ type: 'quarantined' });
  });

  test('with an amount that is none is accepted, and its text kept', async () => {
    const answer = await ask(`${epn.webhook}?${ORDER}&uniq_id=odd&revenue=1%20234,50`);
    expect(await queuedEvent(idIn(answer))).toMatchObject({
      type: 'affiliate.waiting',
      data: { revenue: null, commission: null, fields: { revenue: '1 234,50' } },
    });
  });

  test('whose parameter comes twice counts the last one, with a warning', async () => {
    const answer = await ask(`${epn.webhook}?${ORDER}&uniq_id=twice-1&uniq_id=twice-2`);
    expect(await queuedEvent(idIn(answer))).toMatchObject({ data: { actionId: 'twice-2' } });
    const warning = epn.lines.find((line) => line.includes('a parameter came twice'));
    expect(warning).toContain('uniq_id');
  });

  test('that is empty is a ping and creates nothing', async () => {
    const before = (await epn.queued()).length;
    const ignored = { status: 200, body: { status: 'ignored' } };
    expect(await ask(epn.webhook)).toEqual(ignored);
    expect(await ask(`${epn.webhook}?`)).toEqual(ignored);
    expect(await ask(epn.webhook, { method: 'POST' })).toEqual(ignored);
    expect(await epn.queued()).toHaveLength(before);
  });

  test.each(['HEAD', 'PUT', 'DELETE', 'OPTIONS'])('by %s is a 405', async (method) => {
    const response = await fetch(`${epn.webhook}?${ORDER}`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST');
  });

  test('that is too large is a 413, and of another type a 415', async () => {
    const large = { method: 'POST', body: new URLSearchParams({ click_id: 'x'.repeat(70_000) }) };
    expect(await ask(epn.webhook, large)).toEqual({ status: 413, body: { error: 'too_large' } });
    const plain = { method: 'POST', body: ORDER };
    expect(await ask(epn.webhook, plain)).toMatchObject({ status: 415 });
  });
});

describe('a wrong token', () => {
  const wrong = `${TOKEN.slice(0, -1)}X`;

  // First: of each minute only so many lines are written for strangers.
  test('costs the same work as an unknown path: the same line in the log, the same figures', async () => {
    const linesFor = async (path: string): Promise<readonly string[]> => {
      const before = epn.lines.length;
      await fetch(`${epn.url}${path}`);
      return epn.lines.slice(before).map((line) => line.replace(/[0-9a-f-]{36}/, '…'));
    };
    const unknown = await linesFor('/nobody/has/this');
    expect(unknown).toHaveLength(1);
    expect(await linesFor(`/webhook/${wrong}`)).toEqual(unknown);
    expect(await linesFor(`/webhook/admitad/${wrong}`)).toEqual(unknown);
  });

  test.each([
    ['GET', `/webhook/${wrong}?${ORDER}`, ''],
    ['POST', `/webhook/${wrong}`, ORDER],
    ['POST', `/webhook/${wrong}`, 'x'.repeat(70_000)],
    ['PUT', `/webhook/${wrong}`, 'x'],
    ['OPTIONS', `/webhook/${wrong}`, ''],
    ['GET', '/webhook/', ''],
    ['GET', '/webhook/short', ''],
    ['GET', '/webhook/%zz', ''],
    ['GET', `/webhook/${TOKEN}/`, ''],
    ['GET', `/Webhook/${TOKEN}`, ''],
    ['GET', `/webhook/${encodeURIComponent(TOKEN.replace('c', '\u0441'))}`, ''],
  ])('by %s %s cannot be told from a path that nobody has', async (method, path, body) => {
    const unknown = await exchange(method, '/nobody/has/this', body);
    expect(unknown).toMatchObject({ status: 404, body: '{"error":"not_found"}' });
    expect(await exchange(method, path, body)).toEqual(unknown);
  });

  test('by HEAD cannot either', async () => {
    const unknown = await exchange('HEAD', '/nobody', '');
    expect(unknown.status).toBe(404);
    expect(await exchange('HEAD', `/webhook/${wrong}`, '')).toEqual(unknown);
  });

  test('is counted, and nothing of it kept', async () => {
    await ask(`${epn.url}/webhook/${wrong}?${ORDER}&uniq_id=FORGED`);
    const metrics = await (await fetch(`${epn.metricsUrl}/metrics`)).text();
    expect(metrics).toMatch(/kopeck_deliveries_total{source="epn",outcome="rejected".*} [1-9]/);
    expect(JSON.stringify(await epn.queued())).not.toContain('FORGED');
  });
});

describe('the ledger’s database away', () => {
  test('is told to the sender with 503, and the event kept; back again, nobody is told', async () => {
    await epn.redis.set(ledgerDownKey(epn.prefix), '1', 'EX', 15);
    let attempt = 0;
    const refused = await waitFor(async () => {
      attempt += 1;
      const response = await fetch(`${epn.webhook}?${ORDER}&uniq_id=DOWN-${attempt}`);
      return response.status === 503 && response;
    });
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(await refused.json()).toEqual({ error: 'storage_unavailable' });
    const kept = async () =>
      (await epn.queued()).some(({ subject }) => subject === `affiliate:epn_bz:DOWN-${attempt}`);
    expect(await waitFor(kept)).toBe(true);

    const macro = await ask(`${epn.webhook}?${ORDER}&click_id={click_id}`);
    expect(macro.status).toBe(400);

    await epn.redis.del(ledgerDownKey(epn.prefix));
    const again = `${epn.webhook}?${ORDER}&uniq_id=DOWN-${attempt}`;
    const answer = await waitFor(async () => {
      const now = await ask(again);
      return now.status === 200 && now;
    });
    expect(answer.body).toMatchObject({ status: 'duplicate' });
  });

  test('is not told where the operator wants it so', async () => {
    for (const [EPN_LEDGER_DOWN, status] of [
      ['refuse', 503],
      ['accept', 200],
    ] as const) {
      const server = await serveWhileDown(EPN_LEDGER_DOWN);
      expect(await ask(`${server.url}/webhook/${TOKEN}?${ORDER}`)).toMatchObject({ status });
      await server.close();
    }
  });
});

describe('another network', () => {
  const parameters = { click_id: 'c', order_number: 'o', order_status: 's', uniq_id: 'i' };
  const mapping = { partner: 'shopnet', parameters, statuses: { ok: 'completed' } };
  const networksOf = (more: object) =>
    loadNetworks({
      AFFILIATE_NETWORKS: JSON.stringify([{ ...mapping, ...more }]),
      AFFILIATE_TOKENS: [`shopnet:${TOKEN}`],
      EPN_DEFAULT_CURRENCY: 'RUB',
    });
  const order = `/webhook/shopnet/${TOKEN}?c=1&o=2&i=3&s=ok`;

  test('is accepted while the ledger is down, unless its mapping says otherwise', async () => {
    for (const [ledgerDown, status] of [
      ['accept', 200],
      ['refuse', 503],
    ] as const) {
      const server = await serveWhileDown('refuse', networksOf({ ledgerDown }));
      expect(await ask(`${server.url}${order}`)).toMatchObject({ status });
      await server.close();
    }
  });

  test('has its own path, token and verbs, and no say at those of others', async () => {
    const server = await serveWhileDown('accept', networksOf({ methods: ['GET'] }));
    const statuses = await Promise.all(
      [
        [order, 'GET'],
        [order, 'POST'],
        [order.replace('shopnet', 'epn'), 'GET'],
        [order.replace('shopnet', 'shopnets'), 'GET'],
        [order.replace(TOKEN, OLD_TOKEN), 'GET'],
        [order.replace('/shopnet', ''), 'GET'],
        ['/svix/shopnet', 'POST'],
      ].map(
        async ([path, method = 'GET']) => (await ask(`${server.url}${path}`, { method })).status,
      ),
    );
    expect(statuses).toEqual([200, 405, 404, 404, 404, 400, 404]);
    await server.close();
  });
});

describe('the service', () => {
  test('is healthy', async () => {
    const { status, body } = await ask(`${epn.url}/health`);
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'healthy', timestamp: expect.any(Number) as number });
  });

  test('answers every postback with 503 while no token is configured, and says so', async () => {
    const bare = await runEpn(inject('redisUrl'), { EPN_SECRET_TOKEN: '' });
    try {
      const response = await fetch(`${bare.webhook}?${ORDER}`);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('30');
      expect(await response.json()).toEqual({ error: 'unconfigured' });
      const ready = await ask(`${bare.metricsUrl}/ready`);
      expect(ready.body).toMatchObject({
        warnings: [expect.stringContaining('EPN_SECRET_TOKEN') as string],
      });
    } finally {
      await bare.close();
    }
  });

  test('refuses tokens that are short or no path, and never quotes them', () => {
    for (const token of ['short-token', `${TOKEN}/x`, `${TOKEN},short-token`]) {
      const load = () => loadConfig(epnServiceConfig, { EPN_SECRET_TOKEN: token });
      expect(load).toThrow(ConfigError);
      expect(load).toThrow(/EPN_SECRET_TOKEN: .*\n?[^]*EPN_DEFAULT_CURRENCY/);
      expect(load).not.toThrow(token);
    }
  });

  test('lets the token into no log line, metric, event or file', async () => {
    await ask(`${epn.webhook}?${ORDER}&uniq_id=canary`);
    await ask(`${epn.webhook}?click_id=canary`);
    await fetch(epn.webhook, { method: 'PUT' });
    const file = async (name: string) =>
      (await readFile(join(epn.journalDir, name))).toString('latin1');
    const files = await Promise.all((await readdir(epn.journalDir)).map(file));
    const metrics = await (await fetch(`${epn.metricsUrl}/metrics`)).text();
    const jobs = JSON.stringify(await epn.queued());
    expect(files.join()).toContain('canary');
    for (const kept of [epn.lines.join('\n'), metrics, jobs, files.join()]) {
      expect(kept).not.toContain(TOKEN);
      expect(kept).not.toContain(OLD_TOKEN);
    }
  });
});

/** The routes alone, told that the ledger's database is down. */
function serveWhileDown(
  EPN_LEDGER_DOWN: 'refuse' | 'accept',
  networks: readonly ConfiguredNetwork[] = [],
): Promise<Listening> {
  const router = epnRoutes({
    append: async () => 'accepted',
    log: noLog,
    metrics: createMetrics('epn'),
    now: () => new Date(0),
    config: {
      EPN_SECRET_TOKEN: [TOKEN],
      EPN_DEFAULT_CURRENCY: 'RUB',
      EPN_LEDGER_DOWN,
      SVIX_SECRETS: [],
    },
    networks,
    ledger: { isDown: () => true },
  });
  return listen(createApp({ log: noLog, trustProxy: 'loopback', router }), 0, '127.0.0.1');
}

const keepAlive = new Agent({ keepAlive: true });
afterAll(() => keepAlive.destroy());

/** All that a sender sees, but for the date and the id of the request. */
function exchange(method: string, path: string, body: string) {
  return new Promise<{ status: number; headers: string[]; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(epn.url);
    const headers = { 'content-type': 'text/plain', 'content-length': body.length };
    const sent = request(
      { hostname, port, method, path, headers, agent: keepAlive },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const { rawHeaders, statusCode = 0 } = response;
          const shown = rawHeaders.map((text, index) =>
            /^(date|x-request-id)$/i.test(rawHeaders[index - 1] ?? '') ? '…' : text,
          );
          resolve({ status: statusCode, headers: shown, body: Buffer.concat(chunks).toString() });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
