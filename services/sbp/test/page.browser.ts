import decodeQr from 'qr/decode.js';
import { createRequire } from 'node:module';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createSbpDatabase,
  pay,
  postPayment,
  startTestSbp,
  turn,
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
  const left = await page.locator('time').textContent();
  expect(left).toMatch(/^\d+:\d\d$/);
  await page
    .locator('time')
    .filter({ hasNotText: left ?? '' })
    .waitFor();
  expect(secondsOf(await page.locator('time').textContent())).toBeLessThan(secondsOf(left));
  expect(scanned(await page.locator('svg').screenshot())).toBe(body['qr']);
  expect(await page.getByRole('link', { name: 'Open in my bank’s app' }).getAttribute('href')).toBe(
    body['qr'],
  );

  await pay(sbp, body['qrcId']);
  await page.getByText('Paid. Thank you!').waitFor();
  expect(await page.locator('svg').count()).toBe(0);
  expect({ loads, mistakes }).toEqual({ loads: 1, mistakes: [] });
});

test('a page whose code has expired says that the money came late, without a reload', async () => {
  const wanted = { amount: 100, orderId: 'late', ttlMinutes: 1 };
  const { body } = await postPayment(sbp, wanted);
  const pages = await Promise.all([0, 1].map(() => browser.newPage({ locale: 'en-GB' })));
  const [watching, coming] = pages as [Page, Page];
  await watching.goto(String(body['payUrl']));
  await turn(sbp, { callbacks: 'drop', holdStatus: true });
  await pay(sbp, body['qrcId']);
  sbp.advance(62_000);
  await sbp.looker.lookAtDue();
  await coming.goto(String(body['payUrl']));
  for (const page of pages) await page.getByText('The time to pay is over').waitFor();

  await turn(sbp, { callbacks: 'deliver', holdStatus: false });
  sbp.advance(60_000);
  await sbp.looker.lookAtDue();
  for (const page of pages) await page.getByText('Paid. Thank you!').waitFor();
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

function secondsOf(text: string | null): number {
  const [minutes = 0, seconds = 0] = (text ?? '').split(':').map(Number);
  return 60 * minutes + seconds;
}

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
