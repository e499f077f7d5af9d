import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { createApp, createRouter } from './http-app.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface Listening {
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, and returns when those under way are answered (or after 5 s). */
  readonly close: () => Promise<void>;
}

/**
 * Longer than Traefik keeps an idle connection (90 s): it must never send a request over one that we
 * are just closing, since that request would be lost to its sender.
 */
const KEEP_ALIVE_MS = 100_000;

/** Rejects when the port is taken: the message names it. */
export async function listen(app: Express, port: number, host: string): Promise<Listening> {
  const timeouts = { requestTimeout: 30_000, headersTimeout: 10_000 };
  const server = createServer({ ...timeouts, keepAliveTimeout: KEEP_ALIVE_MS }, app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`cannot listen on ${host}:${port}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return { url: `http://${shown}:${bound}`, port: bound, close: () => close(server) };
}

const CLOSE_WITHIN_MS = 5_000;

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS);
  await closed;
  clearTimeout(deadline);
}

export interface ReadyReport {
  /** By what it asks: { redis: true, database: false }. All true is 200, else 503. */
  readonly checks: Readonly<Record<string, boolean>>;
  /** What is not configured and therefore refused; does not make the service unready. */
  readonly warnings: readonly string[];
}

export interface MetricsServerOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly port: number;
  readonly host: string;
  readonly ready: () => Promise<ReadyReport>;
}

/** /health, /ready and /metrics, on a port that no proxy publishes. */
export function startMetricsServer({
  log,
  metrics,
  port,
  host,
  ready,
}: MetricsServerOptions): Promise<Listening> {
  const router = createRouter();
  router.get('/health', (_request, response) => {
    response.json({ status: 'healthy' });
  });
  router.get('/ready', async (_request, response) => {
    const { checks, warnings } = await ready();
    const isReady = Object.values(checks).every(Boolean);
    response.status(isReady ? 200 : 503).json({ ready: isReady, checks, warnings });
  });
  router.get('/metrics', async (_request, response) => {
    response.type('text/plain; version=0.0.4').send(await metrics.text());
  });
  return listen(createApp({ log, trustProxy: 'loopback', router }), port, host);
}
