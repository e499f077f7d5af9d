import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalLink, fingerprintOf } from '../src/panels/links.ts';
import { PanelError } from '../src/panels/port.ts';
import { parseSubscription } from '../src/panels/subscription.ts';

const DE =
  'vless://5b1f6e2a-7c0d-4f3b-9a41-2d9c8e70b615@de1.vpn-fixture.test:443?type=tcp&security=reality&pbk=Zk3pQeX0m5t1l8bV2uN7cR4yH6wJ9sA0dFgKiLoMnBQ&fp=chrome&sni=cdn.fixture.test&sid=6ba8&flow=xtls-rprx-vision#DE-1-tg10042_p7';
const NL =
  'vless://5b1f6e2a-7c0d-4f3b-9a41-2d9c8e70b615@nl2.vpn-fixture.test:8443?type=ws&security=tls&path=%2Fws&host=nl2.vpn-fixture.test&sni=nl2.vpn-fixture.test#NL-2-tg10042_p7';

const vmess = (fields: object): string =>
  `vmess://${Buffer.from(JSON.stringify(fields)).toString('base64')}`;

describe('the fingerprint of links', () => {
  const known = 'b8fcf86ee6ea79989ac7bd14af0f541f8ced5b50ac8fa45991fe744ecfb4ce2f';

  test('is the known one for known links, in any order', () => {
    expect(fingerprintOf([DE, NL])).toBe(known);
    expect(fingerprintOf([NL, DE])).toBe(known);
  });

  test('does not change with remarks, the host’s letter case or the order of parameters', () => {
    const same = NL.replace('#NL-2-tg10042_p7', '#NL 🚀 3 days left')
      .replace('@nl2.vpn-fixture.test', '@NL2.VPN-fixture.test')
      .replace('type=ws&security=tls', 'security=tls&type=ws');
    expect(fingerprintOf([DE, same])).toBe(known);
  });

  test.each([
    ['host', '@de1.', '@de2.'],
    ['port', ':443', ':444'],
    ['user', '5b1f6e2a', '5B1F6E2A'],
    ['parameter', 'sid=6ba8', 'sid=6ba9'],
  ])('changes with the %s', (_what, from, to) => {
    expect(fingerprintOf([DE.replace(from, to), NL])).not.toBe(known);
  });

  test('reads the remark inside of a vmess link', () => {
    const fields = { v: '2', ps: 'one', add: 'DE1.test', port: '443', id: 'x' };
    const same = { id: 'x', port: '443', add: 'de1.test', ps: 'two', v: '2' };
    expect(canonicalLink(vmess(fields))).toBe(canonicalLink(vmess(same)));
    expect(canonicalLink(vmess(fields))).not.toBe(canonicalLink(vmess({ ...same, port: '444' })));
  });

  test('throws on no link whatever', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(typeof canonicalLink(text)).toBe('string');
        expect(typeof canonicalLink(`vmess://${text}`)).toBe('string');
      }),
    );
  });
});

describe('a subscription', () => {
  const lines = `${DE}\n${NL}\n`;

  test('is plain lines or Base64 of them, with or without padding and line breaks', () => {
    const base64 = Buffer.from(lines).toString('base64');
    const forms = [
      lines,
      `\n  ${DE}  \r\n\n${NL}`,
      base64,
      base64.replace(/=+$/, ''),
      Buffer.from(lines).toString('base64url'),
      `${base64.slice(0, 76)}\n${base64.slice(76)}\n`,
    ];
    for (const form of forms) expect(parseSubscription(Buffer.from(form))).toEqual([DE, NL]);
  });

  test.each([
    ['an error page', '<!doctype html><a href="https://x">', 'protocol'],
    ['words', 'Error!', 'protocol'],
    ['words that are Base64 by their letters', 'maintenance', 'protocol'],
    ['Base64 that is cut', Buffer.from(lines).toString('base64').slice(0, 13), 'protocol'],
    ['Base64 of something else', Buffer.from('no links').toString('base64'), 'protocol'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00]), 'protocol'],
    ['a link that is too long', `vless://${'x'.repeat(9_000)}`, 'protocol'],
    ['nothing', '', 'empty'],
    ['blanks', ' \n\r\n ', 'empty'],
  ])('is never %s', (_what, body, kind) => {
    const parse = (): unknown => parseSubscription(Buffer.from(body));
    expect(parse).toThrow(PanelError);
    expect(parse).toThrow(`panel: ${kind}`);
  });

  test('is links or a PanelError, whatever the panel sends', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string()), (body) => {
        try {
          expect(parseSubscription(Buffer.from(body)).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(PanelError);
        }
      }),
    );
  });
});
