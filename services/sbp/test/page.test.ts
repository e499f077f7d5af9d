import decodeQr from 'qr/decode.js';
import { encodeQR } from 'qr';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@kopeck/testing/wait-for';
import { bankLinks } from '../src/page-banks.ts';
import { STREAM_PACE } from '../src/page-events.ts';
import {
  createSbpDatabase,
  pay,
  postPayment,
  startTestSbp,
  turn,
  type RunningSbp,
  type SbpDatabase,
} from './running-sbp.ts';

let database: SbpDatabase;
let sbp: RunningSbp;
beforeAll(async () => {
  database = await createSbpDatabase();
  sbp = await startTestSbp(database, { streamPace: { everyMs: 20, looks: 10 } });
});
afterAll(async () => {
  await sbp.close();
  await database.drop();
});

test('the page shows the amount, the code and the link, in the payer’s language', async () => {
  const { url, body } = await order('page', {
    amount: '1234.5',
    description: '<b>"Чай" & мёд</b>',
  });
  const russian = await page(url, 'ru-RU,ru;q=0.9,en;q=0.8');
  expect(russian.status).toBe(200);
  expect(russian.text).toContain('1\u00a0234,50\u00a0₽');
  expect(russian.text).toContain('Ждём оплату');
  expect(russian.text).toContain('&lt;b&gt;&quot;Чай&quot; &amp; мёд&lt;/b&gt;');
  expect(russian.text).toContain(`href="${String(body['qr']).replaceAll('&', '&amp;')}"`);
  expect(russian.text).toContain(encodeQR(String(body['qr']), 'svg', { border: 2 }).slice(-200));

  const english = await page(url, 'en-GB');
  expect(english.text).toContain('<html lang="en">');
  expect(english.text).toContain('1\u00a0234.50\u00a0₽');
  expect((await page(url, 'fr')).text).toContain('<html lang="ru">');
});

test('it works without JavaScript, and nothing from elsewhere may run in it', async () => {
  const { url } = await order('strict');
  const { text, headers } = await page(url);
  expect(text).toContain('<noscript><meta http-equiv="refresh" content="5"></noscript>');
  expect(text).not.toMatch(/\b(src|href)="(?!(https|bank\d{12}):\/\/qr\.nspk\.ru\/)/);
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self';/,
  );
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
});

test('on a phone the code opens in the app of the payer’s bank', async () => {
  const { url, body } = await order('phone');
  const link = String(body['qr']).replace('https://', '').replaceAll('&', '&amp;');
  const russian = (await page(url, 'ru')).text;
  expect(russian).toContain(`<a href="bank100000000111://${link}">Сбербанк</a>`);
  expect(russian).toContain(`<a href="bank110000000005://${link}">ВТБ</a>`);
  expect((await page(url, 'en')).text).toContain(`<a href="bank100000000004://${link}">T-Bank</a>`);
  expect(bankLinks('https://yoomoney.ru/checkout/1', 'en')).toEqual([]);
});

test('the picture is the code of the link', async () => {
  const { url, body } = await order('picture');
  const response = await fetch(`${url}/qr.png`);
  expect(response.headers.get('content-type')).toBe('image/png');
  expect(decoded(Buffer.from(await response.arrayBuffer()))).toBe(body['qr']);
});

test('what nobody can guess is not there', async () => {
  const { url } = await order('secret');
  expect(url).toMatch(/\/pay\/[\w-]{22}$/);
  for (const path of [
    url.slice(0, -1),
    `${url.slice(0, -1)}!`,
    `${url.slice(0, -22)}${'x'.repeat(22)}`,
  ]) {
    for (const more of ['', '/qr.png', '/events']) {
      expect((await fetch(`${path}${more}`)).status).toBe(404);
    }
  }
  expect((await fetch(url, { method: 'POST' })).status).toBe(405);
});

test('the stream tells how it stands and when that changes; then the page says so', async () => {
  const { url, body } = await order('stream');
  const response = await fetch(`${url}/events`);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(await response.text()).toContain('data: pending');

  const heard = hear(url);
  await pay(sbp, body['qrcId']);
  await waitFor(() => heard.text.includes('data: paid'));
  heard.stop();
  expect(heard.text).toMatch(/^(retry: 1000\n\n(event: status\ndata: (pending|paid)\n\n)*)+$/);

  const after = await page(url, 'en');
  expect(after.text).toContain('Paid. Thank you!');
  expect(after.text).not.toContain('<svg');
  expect((await fetch(`${url}/qr.png`)).status).toBe(404);
});

test('a declined payment says so, and its code stays to be tried again', async () => {
  const { url, body } = await order('declined', { returnUrl: 'https://shop.example/back?a=1&b=2' });
  await pay(sbp, body['qrcId'], { decline: true });
  const russian = await waitFor(async () => {
    const { text } = await page(url);
    return text.includes('Оплата не прошла') && text;
  });
  expect(russian).toContain('<svg');
  expect(russian).toContain(
    '<a href="https://shop.example/back?a=1&amp;b=2">Вернуться в магазин</a>',
  );
  const english = (await page(url, 'en')).text;
  expect(english).toContain('The payment did not go through');
  expect(english).toContain('>Back to the shop</a>');
});

test('an expired code is not shown, and money that comes late still is', async () => {
  const { url, body } = await order('expired', { ttlMinutes: 1 });
  await turn(sbp, { callbacks: 'drop', holdStatus: true });
  await pay(sbp, body['qrcId']);
  sbp.advance(62_000);
  await sbp.looker.lookAtDue();
  const { text } = await page(url);
  expect(text).toContain('Время оплаты истекло');
  expect((await page(url, 'en')).text).toContain('The time to pay is over');
  expect(text).not.toContain('<svg');
  // It goes on looking, with JavaScript and without.
  expect(text).toContain('new EventSource(');
  expect(text).toContain('<noscript><meta http-equiv="refresh" content="60"></noscript>');

  const heard = hear(url);
  await waitFor(() => heard.text.includes('data: expired'));
  await turn(sbp, { callbacks: 'deliver', holdStatus: false });
  sbp.advance(60_000);
  await sbp.looker.lookAtDue();
  await waitFor(() => heard.text.includes('data: paid'));
  heard.stop();
  expect((await page(url)).text).toContain('Оплачено');
  expect((await page(url)).text).not.toContain('<script');
});

test('a stream ends by itself, and the browser comes again', async () => {
  const { url } = await order('short-stream');
  const text = await (await fetch(`${url}/events`)).text();
  expect(text).toBe('retry: 1000\n\nevent: status\ndata: pending\n\n');
  expect(STREAM_PACE.everyMs * STREAM_PACE.looks).toBe(25_000);
});

/** As a browser does: whenever a stream has ended, the next one is opened. */
function hear(url: string): { text: string; stop: () => void } {
  const stopping = new AbortController();
  const heard = { text: '', stop: () => stopping.abort() };
  const listen = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const { body } = await fetch(`${url}/events`, { signal: stopping.signal });
      for await (const bytes of body ?? []) heard.text += Buffer.from(bytes).toString();
    }
  };
  void listen().catch(() => undefined);
  return heard;
}

async function order(
  orderId: string,
  more: object = {},
): Promise<{ url: string; body: Record<string, unknown> }> {
  const { body } = await postPayment(sbp, { amount: 100, orderId, ...more });
  return { url: String(body['payUrl']), body };
}

async function page(url: string, languages = 'ru') {
  const response = await fetch(url, { headers: { 'Accept-Language': languages } });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

interface Png {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
}

/** What a phone reads off the picture. The reader of PNG is the one that the writer brings along. */
function decoded(bytes: Buffer): string {
  const require = createRequire(createRequire(import.meta.url).resolve('qrcode'));
  const { PNG } = require('pngjs') as { PNG: { sync: { read: (bytes: Buffer) => Png } } };
  return decodeQr(PNG.sync.read(bytes));
}
