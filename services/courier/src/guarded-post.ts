import { lookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isForbidden } from './forbidden-address.ts';

/** The name leads to an address that no webhook may go to. */
export class ForbiddenAddress extends Error {
  override name = 'ForbiddenAddress' as const;
}

export interface Posted {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface PostOptions {
  readonly withinMs?: number;
  /** What the system's resolver says of a name, unless a test says it. */
  readonly resolve?: Resolve;
}

export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const WITHIN_MS = 15_000;

/**
 * One POST that follows no redirect and waits for its status alone. The address that was checked is
 * the one that is connected to: a name cannot lead elsewhere between the two. Throws when there is no
 * answer in time.
 */
export function guardedPost(
  { url, headers, body }: Post,
  { withinMs = WITHIN_MS, resolve: resolver = lookup }: PostOptions = {},
): Promise<Posted> {
  const target = new URL(url);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && isForbidden(host)) return Promise.reject(forbidden());

  const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = send(target, {
      method: 'POST',
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
      lookup: guarded(resolver),
      signal: AbortSignal.timeout(withinMs),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (answer: IncomingMessage) => {
      // Whatever it says, only its status counts; nobody makes us read for ever.
      answer.on('error', () => undefined).resume();
      answer.once('end', () => outgoing.destroy());
      resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] });
    });
    outgoing.end(body);
  });
}

/** One forbidden address is enough: which of them the connection would take, nobody knows. */
function guarded(resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      if (addresses.some(({ address }) => isForbidden(address)))
        return callback(forbidden(), '', 0);
      const [first] = addresses;
      if (options.all === true) return callback(null, addresses);
      callback(null, first?.address ?? '', first?.family ?? 4);
    });
  };
}

function forbidden(): ForbiddenAddress {
  return new ForbiddenAddress('an address that no webhook may go to');
}
