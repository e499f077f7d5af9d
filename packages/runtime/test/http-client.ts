import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { noLog } from '@kopeck/runtime/log';
import { createApp } from '@kopeck/runtime/http-app';
import { listen, type Listening } from '@kopeck/runtime/listen';
import type { Log } from '@kopeck/runtime/log';
import type { Router } from 'express';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A real server on a port of its own. */
export function serve(router: Router, log: Log = noLog): Promise<Listening> {
  return listen(createApp({ log, trustProxy: 'loopback', router }), 0, '127.0.0.1');
}

/** Sends the path as it stands: fetch would tidy it up first. */
export function ask(url: string, path: string, asked: Asked = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = asked;
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** All that a server says to these bytes until it closes the connection. */
export function talk(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => void socket.write(bytes));
    let said = '';
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(said));
  });
}
