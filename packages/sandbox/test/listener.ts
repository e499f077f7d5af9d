import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Heard {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Somebody's webhook, which keeps what it hears. */
export interface Listener {
  readonly url: string;
  readonly requests: readonly Heard[];
  readonly close: () => Promise<void>;
}

/** `answer` may be made from the body that came. */
export async function listenTo(
  status: number,
  answer: string | ((body: string) => string | Promise<string>),
): Promise<Listener> {
  const requests: Heard[] = [];
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      requests.push({ headers: request.headers, body });
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(typeof answer === 'string' ? answer : await answer(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`,
    requests,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
