import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Call {
  readonly id: string;
  readonly subject: string;
  readonly sequence: number;
  readonly type: string;
  readonly status: number;
}

/** 0: never answers. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The operator's program: it checks each call with the reference library and answers as it is told. */
export interface Receiver {
  readonly url: string;
  readonly calls: readonly Call[];
  /** Calls that the reference library refused. */
  readonly forged: () => number;
  readonly answer: (how: (call: Omit<Call, 'status'>, count: number) => Answer) => void;
  readonly close: () => Promise<void>;
}

export async function startReceiver(secret: string): Promise<Receiver> {
  const calls: Call[] = [];
  let forged = 0;
  let how: Parameters<Receiver['answer']>[0] = () => ({ status: 204 });

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    let read: Omit<Call, 'status'>;
    try {
      read = new Webhook(secret).verify(body, request.headers as Record<string, string>) as Call;
    } catch {
      forged += 1;
      response.writeHead(401).end();
      return;
    }
    const { id, subject, sequence, type } = read;
    const { status, headers = {} } = how({ id, subject, sequence, type }, calls.length);
    calls.push({ id, subject, sequence, type, status });
    if (status !== 0) response.writeHead(status, headers).end();
  }

  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/kopeck`,
    calls,
    forged: () => forged,
    answer: (given) => {
      how = given;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
