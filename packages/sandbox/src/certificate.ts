import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** PEM of a root of one's own, and of a server's certificate that it has signed, with its key. */
export interface Authority {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Made anew each time, for an IPv4 address. Node can read certificates and not make them: X.509 by hand. */
export function makeAuthority(address: string): Authority {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = 'Sandbox Root CA';
  const bytes = Buffer.from(address.split('.').map(Number));
  return {
    ca: certificate(
      { issuer, subject: issuer, key: root.publicKey, extension: IS_AUTHORITY },
      root.privateKey,
    ),
    cert: certificate(
      { issuer, subject: address, key: server.publicKey, extension: isAt(bytes) },
      root.privateKey,
    ),
    key: String(server.privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

interface Statement {
  readonly issuer: string;
  readonly subject: string;
  readonly key: KeyObject;
  readonly extension: Buffer;
}

/** RFC 5280, section 4.1. */
function certificate({ issuer, subject, key, extension }: Statement, by: KeyObject): string {
  const statement = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z'))),
    nameOf(subject),
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', statement, by));
  const whole = sequence(statement, ECDSA_WITH_SHA256, signature);
  return `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

/** One value of DER: a tag, a length, the content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  return Buffer.concat([Buffer.from([tag, ...sizeOf(length)]), content]);
}

function sizeOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const TRUE = der(0x01, Buffer.from([0xff]));

/** basicConstraints: critical, cA. */
const IS_AUTHORITY = sequence(oid('551d13'), TRUE, der(0x04, sequence(TRUE)));

/** subjectAltName: an IP address. */
function isAt(address: Buffer): Buffer {
  return sequence(oid('551d11'), der(0x04, sequence(der(0x87, address))));
}

function nameOf(text: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))));
}
