import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Double, OpenDouble } from './double.ts';

export interface SandboxOptions {
  readonly doubles: readonly OpenDouble[];
  readonly now: () => Date;
}

export interface Sandbox {
  readonly app: express.Express;
  /** Port 0 takes a free one. Resolves to the origin, `http://127.0.0.1:9100`. */
  readonly listen: (port?: number, host?: string) => Promise<string>;
  /**
   * The same doubles once more, over TLS on a free port, with a certificate that a partner may have
   * signed itself. Resolves to the origin.
   */
  readonly listenTls: (certificate: Certificate) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** As PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export const SANDBOX_PORT = 9100;

/**
 * All partners behind one port, each under its own prefix, so that a suite under test needs nothing
 * but other base URLs. Besides: GET /__sandbox lists the doubles, POST /__sandbox/reset forgets all.
 */
export function createSandbox({ doubles: openers, now }: SandboxOptions): Sandbox {
  let origin: string | null = null;
  const context = { now, origin: () => origin ?? notListening() };
  const doubles = openers.map((open) => open(context));
  const app = createApp(doubles);
  const server = createServer(app);
  const tlsServers: Server[] = [];

  return {
    app,
    async listen(port = SANDBOX_PORT, host = '127.0.0.1') {
      server.listen(port, host);
      await once(server, 'listening');
      origin = `http://${host}:${(server.address() as AddressInfo).port}`;
      return origin;
    },
    async listenTls(certificate) {
      const tls = createTlsServer(certificate, app);
      tlsServers.push(tls);
      tls.listen(0, '127.0.0.1');
      await once(tls, 'listening');
      return `https://127.0.0.1:${(tls.address() as AddressInfo).port}`;
    },
    async close() {
      await Promise.all(doubles.map((double) => double.close()));
      await Promise.all([server, ...tlsServers].map(closeServer));
    },
  };
}

function createApp(doubles: readonly Double[]): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/health', (_request, response) => void response.json({ status: 'healthy' }));

  const controls = express.Router();
  controls.use(express.json());
  controls.get('/', (_request, response) => {
    response.json(doubles.map(({ name, prefix }) => ({ name, prefix })));
  });
  controls.post('/reset', (_request, response) => {
    for (const double of doubles) double.reset();
    response.json({ reset: true });
  });
  for (const double of doubles) controls.use(`/${double.name}`, double.controls);

  app.use('/__sandbox', controls);
  for (const double of doubles) app.use(double.prefix, double.router);
  return app;
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

function notListening(): never {
  throw new Error('the sandbox does not listen yet');
}
