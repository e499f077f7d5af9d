import { connect, type Socket } from 'node:net';

export interface Load {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** By status. */
  readonly answers: Readonly<Record<string, number>>;
}

export interface Message {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface LoadOptions {
  readonly url: string;
  /** Asked once for each request. */
  readonly messageOf: (index: number) => Message;
  readonly connections: number;
  readonly requests: number;
}

/**
 * Keep-alive connections that each send the next request when the last one is answered. Written on
 * sockets: an HTTP client would take more of the machine than the server that is measured.
 */
export async function load({ url, messageOf, connections, requests }: LoadOptions): Promise<Load> {
  const { hostname, port } = new URL(url);
  const times: number[] = [];
  const answers: Record<string, number> = {};
  let next = 0;

  async function sender(): Promise<void> {
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    const ask = asking(socket);
    while (next < requests) {
      const index = next;
      next += 1;
      const text = wireOf(messageOf(index), hostname);
      const begun = performance.now();
      const status = await ask(text);
      times.push(performance.now() - begun);
      answers[status] = (answers[status] ?? 0) + 1;
    }
    socket.destroy();
  }

  const begun = performance.now();
  await Promise.all(Array.from({ length: connections }, sender));
  const seconds = (performance.now() - begun) / 1_000;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
  return { requestsPerSecond: requests / seconds, p50Ms: at(0.5), p99Ms: at(0.99), answers };
}

function wireOf({ method, path, headers = {}, body = '' }: Message, host: string): string {
  const all = {
    Host: host,
    Connection: 'keep-alive',
    ...headers,
    ...(body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** Sends a request and gives the status of the answer, when all of its body has come. */
function asking(socket: Socket): (request: string) => Promise<string> {
  let received = '';
  let settle: { resolve: (status: string) => void; reject: (error: Error) => void } | null = null;
  socket.on('error', (error) => settle?.reject(error));
  socket.on('close', () => settle?.reject(new Error('the connection was closed')));
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
    const head = received.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
    if (received.length < head + 4 + length) return;
    const status = received.slice(9, 12);
    received = '';
    settle?.resolve(status);
  });
  return (request) =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      socket.write(request);
    });
}
