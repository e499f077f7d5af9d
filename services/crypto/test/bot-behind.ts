import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Taken {
  readonly body: string;
  readonly secret: string | undefined;
  readonly status: number;
}

/** The operator's own bot, which takes what is forwarded to it. */
export interface BotBehind {
  readonly url: string;
  readonly taken: readonly Taken[];
  /** What it answers, and with which status; 0: never. */
  readonly answer: (statusFor: (body: string) => number, reply?: string) => void;
  /** Forgets what it was told so far. */
  readonly forget: () => void;
  readonly close: () => void;
}

export async function startBotBehind(): Promise<BotBehind> {
  let statusFor: (body: string) => number = () => 200;
  let reply = '';
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      const body = Buffer.concat(chunks as Buffer[]).toString();
      const status = statusFor(body);
      const secret = request.headers['x-telegram-bot-api-secret-token'] as string | undefined;
      taken.push({ body, secret, status });
      if (status === 0) return;
      response.writeHead(status, { 'content-type': 'application/json' }).end(reply);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    taken,
    answer(given, text = '') {
      statusFor = given;
      reply = text;
    },
    forget: () => void taken.splice(0),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
