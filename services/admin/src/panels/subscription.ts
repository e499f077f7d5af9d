import { PanelError } from './port.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const LINK = /^[a-z][a-z0-9+.-]*:\/\/\S/i;
const MAX_LINK = 8_192;
const MAX_LINKS = 500;

/**
 * The links of a subscription's text, which is lines or Base64 of lines: panels do either. Throws
 * PanelError, so that neither an error page nor an empty answer is ever taken for a subscription.
 */
export function parseSubscription(body: Buffer): readonly string[] {
  const text = decodeUtf8(body);
  if (text === null || text.trimStart().startsWith('<')) throw new PanelError('protocol');

  const lines = (fromBase64(text) ?? text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) throw new PanelError('empty');

  const links = lines.filter((line) => LINK.test(line));
  const isSane = links.every((link) => link.length <= MAX_LINK) && links.length <= MAX_LINKS;
  if (links.length === 0 || !isSane) throw new PanelError('protocol');
  return links;
}

/** Null where it is plain text: some plain words are Base64 by their letters alone. */
function fromBase64(text: string): string | null {
  const compact = text.replace(/\s/g, '');
  const digits = compact.replace(/=+$/, '');
  if (!BASE64.test(compact) || digits.length % 4 === 1) return null;
  const decoded = decodeUtf8(Buffer.from(digits, 'base64'));
  return decoded?.includes('://') === true ? decoded : null;
}

function decodeUtf8(bytes: Buffer): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
