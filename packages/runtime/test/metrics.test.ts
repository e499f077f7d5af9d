import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMetricsServer, type Listening } from '@kopeck/runtime/listen';
import { noLog } from '@kopeck/runtime/log';
import { createMetrics } from '@kopeck/runtime/metrics';
import { ask } from './http-client.ts';

describe('figures', () => {
  test('are Prometheus text, with help, type and the service’s name', async () => {
    const metrics = createMetrics('epn');
    metrics.count('kopeck_deliveries_total', { source: 'epn', outcome: 'accepted' });
    metrics.count('kopeck_deliveries_total', { source: 'epn', outcome: 'accepted' }, 2);
    metrics.count('kopeck_deliveries_total', { source: 'epn', outcome: 'rejected' });
    metrics.gauge('kopeck_journal_bytes', 4096);
    metrics.gauge('kopeck_journal_bytes', 8192);

    const lines = (await metrics.text()).split('\n').filter((line) => line.includes('kopeck_'));
    expect(lines).toEqual([
      '# HELP kopeck_deliveries_total Requests of partners, by source and outcome',
      '# TYPE kopeck_deliveries_total counter',
      'kopeck_deliveries_total{source="epn",outcome="accepted",service="epn"} 3',
      'kopeck_deliveries_total{source="epn",outcome="rejected",service="epn"} 1',
      '# HELP kopeck_journal_bytes Size of the journal in bytes',
      '# TYPE kopeck_journal_bytes gauge',
      'kopeck_journal_bytes{service="epn"} 8192',
    ]);
  });

  test('of the process are there too', async () => {
    expect(await createMetrics('epn').text()).toMatch(/^process_resident_memory_bytes\{.*\} \d+$/m);
  });

  test('of two services in one process do not mix', async () => {
    createMetrics('one').count('kopeck_booked_total', { source: 'epn', outcome: 'booked' });
    expect(await createMetrics('two').text()).not.toContain('kopeck_booked_total');
  });

  test('with a value that breaks lines stay one line', async () => {
    const metrics = createMetrics('epn');
    metrics.count('kopeck_odd_total', { what: 'a"b\nc\\d' });
    expect(await metrics.text()).toContain(
      'kopeck_odd_total{what="a\\"b\\nc\\\\d",service="epn"} 1',
    );
  });
});

describe('the port that no proxy publishes', () => {
  let server: Listening;
  let checks: Record<string, boolean> = {};
  let isBroken = false;

  beforeAll(async () => {
    const metrics = createMetrics('epn');
    server = await startMetricsServer({
      log: noLog,
      metrics,
      port: 0,
      host: '127.0.0.1',
      ready: async () => {
        if (isBroken) throw new Error('nobody knows');
        return { checks, warnings: ['EPN is not configured'] };
      },
    });
  });
  afterAll(() => server.close());

  test('says that the process lives, whatever it can do', async () => {
    checks = { redis: false };
    const answer = await ask(server.url, '/health');
    expect([answer.status, answer.body]).toEqual([200, '{"status":"healthy"}']);
  });

  test.each([
    [{ redis: true, journal: true }, 200, true],
    [{ redis: false, journal: true }, 503, false],
    [{}, 200, true],
  ])('says whether it can do its work: %j is %s', async (state, status, ready) => {
    checks = state;
    const answer = await ask(server.url, '/ready');
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({
      ready,
      checks: state,
      warnings: ['EPN is not configured'],
    });
  });

  test('is not ready when that cannot be found out', async () => {
    isBroken = true;
    expect((await ask(server.url, '/ready')).status).toBe(503);
  });

  test('gives the figures as Prometheus wants them', async () => {
    const answer = await ask(server.url, '/metrics');
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(answer.body).toContain('process_resident_memory_bytes');
  });
});
