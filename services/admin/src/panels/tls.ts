import { Agent } from 'node:https';
import { connect, type PeerCertificate } from 'node:tls';
import { PanelError } from './port.ts';

/** Whom to believe besides the authorities of the system. At most one of the two. */
export interface TlsTrust {
  /** SHA-256 of the server's certificate (DER), as hex digits. */
  readonly pinSha256?: string;
  /** A certificate, or the authority that has signed it, as PEM. */
  readonly caPem?: string;
}

/**
 * For a panel with a certificate that it has signed itself. Node believes no certificate by its
 * fingerprint alone, so the first handshake is let fail, as it must, and the certificate that was seen
 * in it becomes the only one that is believed, if it is the pinned one. Nothing is ever sent over a
 * connection that was not verified.
 */
export function pinnedAgent(
  pinSha256: string,
): (url: string, signal: AbortSignal) => Promise<Agent> {
  const pin = normal(pinSha256);
  const agents = new Map<string, Agent>();

  return async (url, signal) => {
    const { origin } = new URL(url);
    const known = agents.get(origin);
    if (known !== undefined) return known;
    const certificate = await certificateOf(origin, signal);
    if (!isPinned(certificate, pin)) throw new PanelError('tls_untrusted');
    const agent = new Agent({
      ca: pemOf(certificate.raw),
      allowPartialTrustChain: true,
      checkServerIdentity: (_host, seen) =>
        isPinned(seen, pin)
          ? undefined
          : Object.assign(new Error('another certificate'), { code: 'CERT_NOT_PINNED' }),
    });
    agents.set(origin, agent);
    return agent;
  };
}

async function certificateOf(origin: string, signal: AbortSignal): Promise<PeerCertificate> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port || 443) });
  let seen: PeerCertificate | null = null;
  // Before Node's own listener, which ends a connection that it does not believe.
  socket.prependListener('secure', () => (seen = socket.getPeerCertificate()));
  socket.once('secureConnect', () => socket.destroy());
  socket.on('error', () => undefined); // told by what was not seen
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  // Not events.once, which rejects at the error that is expected here.
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  if (seen === null) throw new PanelError(signal.aborted ? 'timeout' : 'connection');
  return seen;
}

function isPinned({ fingerprint256 }: PeerCertificate, pin: string): boolean {
  return normal(fingerprint256) === pin;
}

function normal(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}

function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}
