import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, test } from 'vitest';
import { makeAuthority } from '@kopeck/sandbox/certificate';
import { hostObservations } from '../src/host.ts';

const NONE = { DISK_LOW_PERCENT: 0, MEMORY_LOW_PERCENT: 0, CERTIFICATE_DAYS: 7 };
const now = () => new Date('2026-11-22T12:00:00Z');

async function look(kind: string, settings: object, at = now): Promise<unknown> {
  const all = hostObservations({ ...NONE, ...settings }, at);
  const observation = all.find((each) => each.kind === kind);
  return observation?.look();
}

test('a disk and a memory of which less is free than one wants are told, with what is left', async () => {
  for (const [kind, key] of [
    ['disk-low', 'DISK_LOW_PERCENT'],
    ['memory-low', 'MEMORY_LOW_PERCENT'],
  ] as const) {
    expect(await look(kind, {})).toBeNull();
    const wrong = (await look(kind, { [key]: 100 })) as { freePercent: number };
    expect(wrong.freePercent).toBeGreaterThan(0);
    expect(wrong.freePercent).toBeLessThan(100);
  }
});

test('a certificate is told in time before its end, also one that nobody has signed for us', async () => {
  const { key, cert } = makeAuthority('127.0.0.1');
  const server = createTlsServer({ key, cert }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const CERTIFICATE_OF = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const settings = { CERTIFICATE_OF };
    expect(await look('certificate-ends', settings)).toBeNull();
    const late = () => new Date('2049-12-30T12:00:00Z');
    expect(await look('certificate-ends', settings, late)).toEqual({
      host: CERTIFICATE_OF,
      daysLeft: 1,
      endsAt: '2049-12-31T23:59:59.000Z',
    });
  } finally {
    server.close();
  }
});

test('a host that cannot be reached says nothing about its certificate', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const CERTIFICATE_OF = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  silent.close();
  await expect(look('certificate-ends', { CERTIFICATE_OF })).rejects.toThrow('ECONNREFUSED');
  expect(await look('certificate-ends', {})).toBeUndefined();
});
