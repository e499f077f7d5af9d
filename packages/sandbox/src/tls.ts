import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeAuthority } from './certificate.ts';

/** A sandbox over TLS whose certificate no machine believes by itself, as some banks' own. */
export interface TlsListener {
  /** `https://127.0.0.1:34567` */
  readonly origin: string;
  /** PEM of the root that has signed it: whoever is told to believe it does. */
  readonly ca: string;
  readonly close: () => Promise<void>;
}

export async function listenTls(app: RequestListener, host = '127.0.0.1'): Promise<TlsListener> {
  const { ca, cert, key } = makeAuthority(host);
  const server = createServer({ cert, key }, app);
  server.listen(0, host);
  await once(server, 'listening');
  return {
    origin: `https://${host}:${(server.address() as AddressInfo).port}`,
    ca,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
