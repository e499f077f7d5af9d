import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPanel as openPanelDouble, type Logged } from '@kopeck/sandbox/panel/panel';
import { createSandbox, type Certificate, type Sandbox } from '@kopeck/sandbox/sandbox';
import { openPanel, type PanelConfig } from '../src/panels/open-panels.ts';
import { PanelError } from '../src/panels/port.ts';
import type { TlsTrust } from '../src/panels/tls.ts';
import { AUTHORITY, pinOf, SELF_SIGNED, SIGNED } from './certificates.ts';
import { DIALECTS, type DialectCase } from './dialects.ts';

const now = (): Date => new Date();
let sandbox: Sandbox;
let plain: string;
let selfSigned: string;
let signed: string;
beforeAll(async () => {
  const servers = DIALECTS.map(({ server }) => server);
  const subscribers = DIALECTS.map(({ subscriber }) => subscriber);
  const double = openPanelDouble({ token: 'unused', subscribers, servers });
  sandbox = createSandbox({ doubles: [double], now });
  plain = await sandbox.listen(0);
  const listen = (certificate: Certificate): Promise<string> => sandbox.listenTls(certificate);
  [selfSigned, signed] = [await listen(SELF_SIGNED), await listen(SIGNED)];
});
afterAll(() => sandbox.close());

/** What a fetch of the dialect's subscriber comes to. */
async function fetched({ config, ref }: DialectCase, origin: string, trust: TlsTrust = {}) {
  const told: PanelConfig = { ...config(origin), ...trust };
  try {
    return (await openPanel(told, now).fetch(ref, AbortSignal.timeout(5_000))).links.length;
  } catch (error) {
    return error instanceof PanelError ? error.kind : error;
  }
}

async function asked(): Promise<number> {
  return ((await (await fetch(`${plain}/__sandbox/panel/log`)).json()) as Logged[]).length;
}

describe.each(DIALECTS)('$name', (dialect) => {
  test('with a certificate that it has signed itself is believed by its fingerprint alone', async () => {
    const before = await asked();
    const pin = pinOf(SELF_SIGNED.cert);
    expect(await fetched(dialect, selfSigned)).toBe('tls_untrusted');
    expect(await fetched(dialect, selfSigned, { pinSha256: pinOf(SIGNED.cert) })).toBe(
      'tls_untrusted',
    );
    expect(await asked()).toBe(before);
    const colons = pin.toUpperCase().replaceAll(/(..)(?!$)/g, '$1:');
    for (const pinSha256 of [pin, colons])
      expect(await fetched(dialect, selfSigned, { pinSha256 })).toBe(1);
  });
});

describe('a certificate of an authority of the operator’s own', () => {
  const [dialect] = DIALECTS as [DialectCase];

  test('is believed with that authority, and without it not', async () => {
    expect(await fetched(dialect, signed)).toBe('tls_untrusted');
    expect(await fetched(dialect, signed, { caPem: AUTHORITY })).toBe(1);
    expect(await fetched(dialect, signed, { caPem: SELF_SIGNED.cert })).toBe('tls_untrusted');
  });

  test('is not believed for another name', async () => {
    const caPem = AUTHORITY;
    const elsewhere = signed.replace('127.0.0.1', 'localhost');
    expect(await fetched(dialect, elsewhere, { caPem })).toBe('tls_untrusted');
    expect(await fetched(dialect, selfSigned, { caPem: SELF_SIGNED.cert })).toBe('tls_untrusted');
  });

  test('may be pinned as well', async () => {
    expect(await fetched(dialect, signed, { pinSha256: pinOf(SIGNED.cert) })).toBe(1);
    expect(await fetched(dialect, signed, { pinSha256: pinOf(AUTHORITY) })).toBe('tls_untrusted');
  });
});
