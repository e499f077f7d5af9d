import { createApp, createRouter, methods } from '@kopeck/runtime/http-app';
import { listen, startMetricsServer } from '@kopeck/runtime/listen';
import type { Log } from '@kopeck/runtime/log';
import type { Metrics } from '@kopeck/runtime/metrics';
import type { Closing } from '@kopeck/runtime/shutdown';
import type { CourierConfig } from './config.ts';

export interface Courier {
  readonly url: string;
  readonly metricsUrl: string;
  readonly close: () => Promise<void>;
}

interface ServeDeps {
  readonly config: CourierConfig;
  readonly log: Log;
  readonly now: () => Date;
  readonly metrics: Metrics;
  readonly closing: Closing;
}

/** It is ready whatever is away: its work is to tell of that. */
export async function serve(deps: ServeDeps, warnings: readonly string[]): Promise<Courier> {
  const { config, log, metrics, closing, now } = deps;
  const host = config.HOST;
  const internal = await startMetricsServer({
    log,
    metrics,
    port: config.COURIER_METRICS_PORT,
    host,
    ready: async () => ({ checks: {}, warnings }),
  });
  closing.add('metrics', internal.close);

  const router = createRouter();
  router.all(
    '/health',
    methods({
      GET: [
        (_request, response) =>
          void response.json({ status: 'healthy', timestamp: now().toISOString() }),
      ],
    }),
  );
  const app = createApp({ log, trustProxy: config.TRUST_PROXY, router });
  const server = await listen(app, config.COURIER_PORT, host);
  closing.add('http', server.close);
  log.info('listening', { url: server.url });
  return { url: server.url, metricsUrl: internal.url, close: closing.run };
}
