import decodeQr from 'qr/decode.js';
import { createRequire } from 'node:module';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createSbpDatabase,
  pay,
  postPayment,
  startTestSbp,
  type RunningSbp,
  type SbpDatabase,
} from './running-sbp.ts';

// `npm run test:browser`: needs the Chromium of the system.

let database: SbpDatabase;
let sbp: RunningSbp;
let browser: Browser;
beforeAll(async () => {
  database = await createSbpDatabase();
  sbp = await startTestSbp(database);
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
});
afterAll(async () => {
  await browser.close();
  await sbp.close();
  await database.drop();
});

test('a payer scans the code, pays, and sees it on the page without a reload', async () => {
  const { body } = await postPayment(sbp, { amount: 100, orderId: 'browser' });
  const page = await browser.newPage({ locale: 'en-GB' });
  const mistakes: string[] = [];
  page.on('console', (line) => {
    if (line.type() === 'error') mistakes.push(line.text());
  });
  page.on('pageerror', (error) => void mistakes.push(error.message));
  let loads = 0;
  page.on('load', () => void (loads += 1));

  await page.goto(String(body['payUrl']));
  await page.getByText('Waiting for the payment').waitFor();
  expect(await page.locator('time').textContent()).toMatch(/^\d+:\d\d$/);
  expect(scanned(await page.locator('svg').screenshot())).toBe(body['qr']);
  expect(await page.getByRole('link', { name: 'Open in my bank’s app' }).getAttribute('href')).toBe(
    body['qr'],
  );

  await pay(sbp, body['qrcId']);
  await page.getByText('Paid. Thank you!').waitFor();
  expect(await page.locator('svg').count()).toBe(0);
  expect({ loads, mistakes }).toEqual({ loads: 1, mistakes: [] });
});

test('a phone offers the apps of banks, a desktop does not', async () => {
  const { body } = await postPayment(sbp, { amount: 100, orderId: 'phone' });
  for (const isPhone of [true, false]) {
    const context = await browser.newContext({
      hasTouch: isPhone,
      isMobile: isPhone,
      locale: 'en-GB',
    });
    const page = await context.newPage();
    await page.goto(String(body['payUrl']));
    const choice = page.getByText('Choose a bank');
    expect(await choice.isVisible()).toBe(isPhone);
    if (!isPhone) continue;
    await choice.tap();
    const link = page.getByRole('link', { name: 'Sberbank' });
    expect(await link.getAttribute('href')).toBe(
      String(body['qr']).replace('https://', 'bank100000000111://'),
    );
  }
});

test('without JavaScript the page looks again by itself', async () => {
  const { body } = await postPayment(sbp, { amount: 100, orderId: 'plain' });
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'ru-RU' });
  const page = await context.newPage();
  await page.goto(String(body['payUrl']));
  await page.getByText('Ждём оплату').waitFor();
  await pay(sbp, body['qrcId']);
  await page.getByText('Оплачено. Спасибо!').waitFor();
});

interface Png {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
}

function scanned(bytes: Buffer): string {
  const require = createRequire(createRequire(import.meta.url).resolve('qrcode'));
  const { PNG } = require('pngjs') as { PNG: { sync: { read: (bytes: Buffer) => Png } } };
  return decodeQr(PNG.sync.read(bytes));
}
