import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMailSink } from '../src/mail-sink.ts';
import type { MailSink } from '../src/mail-sink.ts';

let dir: string;
let sink: MailSink;
let url: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kopeck-mail-'));
  sink = createMailSink({ dir: join(dir, 'mail'), now: () => new Date('2026-11-22T03:00:00Z') });
  url = await sink.listen(0);
});

afterEach(async () => {
  await sink.close();
  await rm(dir, { recursive: true });
});

test('keeps each message in a file of its own, in the order of arrival', async () => {
  const transport = createTransport(url);
  for (const subject of ['first', 'second']) {
    await transport.sendMail({
      from: 'a@example.com',
      to: 'b@example.com',
      subject,
      text: 'hello',
    });
  }

  const files = (await readdir(join(dir, 'mail'))).sort();
  expect(files).toEqual(['2026-11-22T03-00-00-000Z-0001.eml', '2026-11-22T03-00-00-000Z-0002.eml']);
  expect(await readFile(join(dir, 'mail', files[1] ?? ''), 'utf8')).toContain('Subject: second');
});

test('lets anybody in, with or without a password', async () => {
  const transport = createTransport(url.replace('smtp://', 'smtp://user:password@'));
  const { accepted } = await transport.sendMail({
    from: 'a@example.com',
    to: 'b@example.com',
    text: 'hello',
  });
  expect(accepted).toEqual(['b@example.com']);
});
