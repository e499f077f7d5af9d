import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dynamicLink, mintQrcId, nspkCrc, parseNspkLink, qrcUuid } from '@kopeck/core/nspk';

/** Links that banks have published, with the checksum each of them carries, and the right one. */
const LINKS: readonly (readonly [string, string, 'ok' | 'bad', string])[] = [
  ['AS100001ORTF4GAF80KPJ53K186D9A3G?type=01&bank=100000000007', '0C8A', 'ok', '0C8A'],
  [
    'AD100004BAL7227F9BNP6KNE007J9B3K?type=02&bank=100000000007&sum=1&cur=RUB',
    'AB75',
    'ok',
    'AB75',
  ],
  [
    'AS10003P3RH0LJ2A9ROO038L6NT5RU1M?type=01&bank=000000000001&sum=10000&cur=RUB',
    'F3D0',
    'ok',
    'F3D0',
  ],
  ['AS1R004PRL5RNGBA9ARPLJLTDO94S3J9?type=01&bank=100000000061', '5D90', 'ok', '5D90'],
  [
    'BR10006J6N78356E9GC8D5BANTAT1HIV?type=02&bank=100000000061&sum=10000&cur=RUB',
    'CBDB',
    'ok',
    'CBDB',
  ],
  // Somebody dropped the sum and kept the checksum; a placeholder in a bank's own example.
  ['AS10003P3RH0LJ2A9ROO038L6NT5RU1M?type=01&bank=000000000001', 'F3D0', 'bad', 'DC30'],
  [
    'AS1000670LSS7DN18SJQDNP4B05KLJL2?type=01&bank=100000000001&sum=10000&cur=RUB',
    'C08B',
    'bad',
    'FB7C',
  ],
];

describe('a link of SBP', () => {
  test('has the checksum that the algorithm is known by', () => {
    expect(nspkCrc('123456789')).toBe('29B1');
  });

  test.each(LINKS)('%s with crc %s reads as %s', (link, crc, verdict, right) => {
    const qrcId = link.slice(0, 32);
    expect(parseNspkLink(`https://qr.nspk.ru/${link}&crc=${crc}`)).toEqual({ qrcId, crc: verdict });
    expect(nspkCrc(`https://qr.nspk.ru/${link}`)).toBe(right);
  });

  test('that binds an account has another host, which its checksum covers', () => {
    const qrcId = 'AS1000670LSS7DN18SJQDNP4B05KLJL2';
    const path = `${qrcId}?type=03&bank=100000000007&crc=6548`;
    expect(parseNspkLink(`https://sub.nspk.ru/${path}`)).toEqual({ qrcId, crc: 'ok' });
    expect(parseNspkLink(`https://qr.nspk.ru/${path}`)).toEqual({ qrcId, crc: 'bad' });
    expect(parseNspkLink(`https://sub.nspk.ru/${qrcId}`)).toEqual({ qrcId, crc: 'absent' });
    expect(parseNspkLink(`https://pay.nspk.ru/${path}`)).toBeNull();
  });

  test('may come short, without a checksum', () => {
    const link = 'https://qr.nspk.ru/AS1000670LSS7DN18SJQDNP4B05KLJL2';
    expect(parseNspkLink(link)).toEqual({ qrcId: link.slice(-32), crc: 'absent' });
  });

  test.each([
    '',
    'https://example.org/AS1000670LSS7DN18SJQDNP4B05KLJL2',
    'http://qr.nspk.ru/AS1000670LSS7DN18SJQDNP4B05KLJL2',
    'https://qr.nspk.ru/short',
  ])('is not %j', (text) => {
    expect(parseNspkLink(text)).toBeNull();
  });

  test('that we make carries a checksum that holds', () => {
    fc.assert(
      fc.property(
        fc.uuid({ version: 4 }),
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        (uuid, kopecks) => {
          const qrcId = mintQrcId(uuid);
          const link = dynamicLink({ qrcId, bank: '000000000001', kopecks });
          expect(parseNspkLink(link)).toEqual({ qrcId, crc: 'ok' });
        },
      ),
    );
  });
});

describe('an id of SBP', () => {
  test('is a profile and a UUID', () => {
    const uuid = 'd335ce81-94ce-4c18-8695-6abf55d0c65f';
    expect(qrcUuid('BR10006J6N78356E9GC8D5BANTAT1HIV')).toBe(uuid);
    expect(mintQrcId(uuid, 'BR1000')).toBe('BR10006J6N78356E9GC8D5BANTAT1HIV');
  });

  test('gives back the UUID it was made from', () => {
    fc.assert(
      fc.property(fc.uuid({ version: 4 }), (uuid) => {
        expect(mintQrcId(uuid)).toHaveLength(32);
        expect(qrcUuid(mintQrcId(uuid))).toBe(uuid);
      }),
    );
  });

  test('is not made from another kind of UUID, and a made-up one holds none', () => {
    expect(() => mintQrcId('6ba7b810-9dad-11d1-80b4-00c04fd430c8')).toThrow(RangeError);
    expect(qrcUuid('AD1F2CD7212E48FA919AB52EF0AEFB33')).toBeNull();
    expect(qrcUuid('AD1000ZZZZZZZZZZZZZZZZZZZZZZZZZZ')).toBeNull();
  });
});
