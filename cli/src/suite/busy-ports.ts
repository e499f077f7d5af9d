import { connect } from 'node:net';
import { isFree } from '@kopeck/testing/ports';
import type { PortKey } from './settings.ts';

/** Somebody else has a port that the suite wants. The message says what to do. */
export class BusyPortError extends Error {
  override name = 'BusyPortError' as const;
}

const CONNECT_WITHIN_MS = 500;

/** Looks at all of them, before anything is started. Throws BusyPortError, which names every one. */
export async function refuseBusyPorts(ports: Readonly<Record<PortKey, number>>): Promise<void> {
  const found = await Promise.all(
    Object.entries(ports).map(async ([key, port]) => ((await isBusy(port)) ? [{ key, port }] : [])),
  );
  const busy = found.flat();
  const [first] = busy;
  if (first === undefined) return;
  throw new BusyPortError(
    [
      ...busy.map(({ key, port }) => `Port ${port} (${key}) is taken by another program.`),
      `End that program, or take another port with ${first.key}=${first.port + 1} npm start,`,
      'or move all ports of the suite with KOPECK_PORT_OFFSET=100 npm start.',
    ].join('\n'),
  );
}

/** On some systems one can listen beside a program that has the port on all addresses. */
async function isBusy(port: number): Promise<boolean> {
  return !(await isFree(port)) || (await isAnswered(port));
}

function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: CONNECT_WITHIN_MS });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}
