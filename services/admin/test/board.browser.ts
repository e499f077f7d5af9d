import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@kopeck/testing/test-database';
import { waitFor } from '@kopeck/testing/wait-for';
import { KEY, runAdmin, type RunningAdmin } from './running-admin.ts';

// `npm run test:browser`: needs the Chromium of the system.

let database: TestDatabase;
let admin: RunningAdmin;
let browser: Browser;
beforeAll(async () => {
  database = await createTestDatabase(inject('mariadbRootUrl'));
  admin = await runAdmin({ redisUrl: inject('redisUrl'), databaseUrl: database.url });
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
});
afterAll(async () => {
  await browser.close();
  await admin.close();
  await database.drop();
});

async function openBoard(): Promise<{ page: Page; mistakes: readonly string[] }> {
  const httpCredentials = { username: 'operator', password: KEY };
  const page = await (await browser.newContext({ httpCredentials })).newPage();
  const mistakes: string[] = [];
  page.on('console', (line) => {
    if (line.type() === 'error') mistakes.push(line.text());
  });
  page.on('pageerror', (error) => void mistakes.push(error.message));
  return { page, mistakes };
}

test('an operator looks at the queues and finds an event, but nothing of what is in it', async () => {
  await admin.refresh('no-such-purchase');
  await admin.publish({ id: 'admin.config.refreshed.looked-at', data: { secret: 'a-payload' } });
  const { page, mistakes } = await openBoard();
  await page.goto(`${admin.url}/admin/queues/queue/events-admin?status=latest`);
  await page.getByText('config.refreshed').first().waitFor();
  const text = await waitFor(async () => {
    const shown = await page.locator('body').innerText();
    return shown.includes('looked-at') && shown;
  });
  expect(text).toContain('***');
  expect(text).not.toContain('a-payload');
  for (const name of ['events-sbp', 'events-crypto', 'events-epn', 'incidents'])
    expect(text).toContain(name);
  // Fonts of a third party are not asked for, and the browser says so.
  expect(mistakes.filter((line) => !line.includes('fonts.googleapis.com'))).toEqual([]);
  if (process.env['PICTURES'] !== undefined)
    await page.screenshot({ path: `${process.env['PICTURES']}/board.png` });
});
