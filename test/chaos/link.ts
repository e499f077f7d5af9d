import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** The way between a service and a server, which a test may spoil. */
export interface Link {
  readonly port: number;
  /** Breaks what is open and refuses what is new. */
  readonly cut: () => void;
  /** Connections stay open and carry nothing. */
  readonly hang: () => void;
  /** Each piece takes so much longer. */
  readonly slow: (ms: number) => void;
  readonly heal: () => void;
  readonly close: () => Promise<void>;
}

type State =
  { readonly kind: 'whole' | 'cut' | 'hanging' } | { readonly kind: 'slow'; readonly ms: number };

const LOOK_MS = 20;

/** A TCP relay on the loopback to the port of a server. */
export async function openLink(to: number): Promise<Link> {
  let state: State = { kind: 'whole' };
  const sockets = new Set<Socket>();
  const isHanging = (): boolean => state.kind === 'hanging';

  async function carry(from: Socket, into: Socket): Promise<void> {
    try {
      for await (const piece of from) {
        while (isHanging() && !from.destroyed) await delay(LOOK_MS);
        if (state.kind === 'slow') await delay(state.ms);
        if (into.writable && !into.write(piece as Buffer)) await once(into, 'drain');
      }
      into.end();
    } catch {
      // One end has gone: so does the other.
      from.destroy();
      into.destroy();
    }
  }

  function breakAll(): void {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  }

  const server = createServer((near) => {
    if (state.kind === 'cut') return void near.destroy();
    const far = connect(to, '127.0.0.1');
    for (const [socket, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    void carry(near, far);
    void carry(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;

  return {
    port,
    cut() {
      state = { kind: 'cut' };
      breakAll();
    },
    hang: () => void (state = { kind: 'hanging' }),
    slow: (ms) => void (state = { kind: 'slow', ms }),
    heal() {
      // What hung for seconds is as lost as on a real network: both ends must notice and begin again.
      if (state.kind === 'hanging') breakAll();
      state = { kind: 'whole' };
    },
    async close() {
      breakAll();
      server.close();
      await once(server, 'close');
    },
  };
}
