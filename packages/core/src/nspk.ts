/**
 * QR links of the Fast Payments System (SBP, operated by NSPK). Nothing here refuses a link: banks ship
 * placeholder checksums and links without any parameters, so a checksum is a hint and no more.
 */

const BASE32HEX = '0123456789ABCDEFGHIJKLMNOPQRSTUV';

/** 26 digits hold 130 bits and an id has 128: the first digit is at most 7. */
const QRC_ID = /^[AB][SDR][0-9A-V]{4}[0-7][0-9A-V]{25}$/;
const LINK = /^https:\/\/(?:qr|sub)\.nspk\.ru\/([A-Z0-9]{32})(?:\?(.*))?$/;

/** Two letters and a profile: a dynamic link for one payment. */
const DYNAMIC_PROFILE = 'AD1000';
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** CRC-16/CCITT-FALSE of a link up to, and without, its `&crc=`: four upper-case hex digits. */
export function nspkCrc(linkBeforeCrc: string): string {
  let crc = 0xffff;
  for (const byte of Buffer.from(linkBeforeCrc, 'utf8')) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
    }
  }
  return crc.toString(16).toUpperCase().padStart(4, '0');
}

/** An id as NSPK makes them: a profile and a version 4 UUID in base32hex. 32 characters. */
export function mintQrcId(uuid: string, profile: string = DYNAMIC_PROFILE): string {
  if (!UUID_V4.test(uuid)) throw new RangeError('not a version 4 UUID');

  let bits = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let digits = '';
  for (let index = 0; index < 26; index += 1) {
    digits = BASE32HEX.charAt(Number(bits & 31n)) + digits;
    bits >>= 5n;
  }
  return profile + digits;
}

/** The UUID inside an id; null when it is none, as in the ids of some banks' test contours. */
export function qrcUuid(qrcId: string): string | null {
  if (!QRC_ID.test(qrcId)) return null;

  let bits = 0n;
  for (const digit of qrcId.slice(6)) bits = (bits << 5n) | BigInt(BASE32HEX.indexOf(digit));
  const hex = bits.toString(16).padStart(32, '0');
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return UUID_V4.test(uuid) ? uuid : null;
}

export interface DynamicLink {
  readonly qrcId: string;
  /** The bank's number as a member of SBP: 12 digits. */
  readonly bank: string;
  readonly kopecks: bigint;
}

/** The link of one payment of a fixed sum. */
export function dynamicLink({ qrcId, bank, kopecks }: DynamicLink): string {
  const link = `https://qr.nspk.ru/${qrcId}?type=02&bank=${bank}&sum=${kopecks}&cur=RUB`;
  return `${link}&crc=${nspkCrc(link)}`;
}

export interface NspkLink {
  readonly qrcId: string;
  readonly crc: 'ok' | 'bad' | 'absent';
}

/** Null: not a link of NSPK. Its short form without parameters is one, and has no checksum. */
export function parseNspkLink(link: string): NspkLink | null {
  const match = LINK.exec(link);
  if (match === null) return null;

  const [, qrcId = '', query = ''] = match;
  const [, given = null] = /&crc=([^&]*)$/.exec(query) ?? [];
  if (given === null) return { qrcId, crc: 'absent' };
  const covered = link.slice(0, link.lastIndexOf('&crc='));
  return { qrcId, crc: nspkCrc(covered) === given ? 'ok' : 'bad' };
}
