import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Delivery } from '../src/deliveries.ts';
import { guardedPost, type Resolve } from '../src/guarded-post.ts';
import { createWebhook } from '../src/webhook.ts';
import { startReceiver, type Receiver } from './receiver.ts';

const OLD = `whsec_${Buffer.from('the secret before the current one').toString('base64')}`;
const NEW = `whsec_${Buffer.from('the secret that is current, as of today').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('a secret that was never configured at all').toString('base64')}`;

let receiver: Receiver;
beforeEach(async () => (receiver = await startReceiver(NEW)));
afterEach(() => receiver.close());

const to = (url: string) => ({ url, headers: {}, body: '{}' });

/** A resolver that knows every name, and these addresses of it. */
const resolving =
  (...addresses: readonly string[]): Resolve =>
  (_name, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

test.each([
  ['link-local', ['169.254.1.2']],
  ['a metadata service', ['169.254.169.254']],
  ['one over IPv6', ['fd00:ec2::254']],
  ['link-local over IPv6', ['fe80::1']],
  ['IPv4 within IPv6', ['::ffff:169.254.169.254']],
  ['a good address and a bad one', ['127.0.0.1', '169.254.169.254']],
])('a name that leads to %s is not called', async (_what, addresses) => {
  const { port } = new URL(receiver.url);
  const posting = guardedPost(to(`http://bot.shop.test:${port}/`), {
    resolve: resolving(...addresses),
  });
  await expect(posting).rejects.toThrow(/no webhook may go to/);
  expect(receiver.forged()).toBe(0);
});

test('the address that was checked is the one that is called', async () => {
  const { port } = new URL(receiver.url);
  const url = `http://a-name-that-nobody-has.test:${port}/`;
  const posted = await guardedPost(to(url), { resolve: resolving('127.0.0.1') });
  expect(posted.status).toBe(401);
});

test.each([
  'http://169.254.169.254/latest',
  'http://2852039166/',
  'http://0xa9fea9fe/',
  'http://0251.0376.0251.0376/',
  'http://[::ffff:169.254.169.254]/',
  'http://[fe80::1]/',
  'http://0.0.0.0/',
])('%s is not called, however it is written', async (url) => {
  await expect(guardedPost(to(url))).rejects.toThrow(/no webhook may go to/);
});

test('a call that nobody answers in time is given up', async () => {
  const silent = createServer();
  silent.on('request', () => undefined);
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const posting = guardedPost(to(`http://127.0.0.1:${port}/`), { withinMs: 50 });
  await expect(posting).rejects.toThrow(/aborted|timeout/i);
  silent.close();
});

test('while there are two secrets, a receiver with either of them believes the call', async () => {
  const old = await startReceiver(OLD);
  const stranger = await startReceiver(OTHER);
  const delivery: Delivery = {
    id: '1',
    kind: 'webhook',
    subject: 'payment:1',
    payload: { id: 'msg_1' },
    text: '{"id":"msg_1","type":"payment.paid","subject":"payment:1","sequence":1}',
    createdAt: new Date(),
    attempts: 0,
  };
  const tried = [receiver, old, stranger].map(({ url }) =>
    createWebhook({ url, secrets: [NEW, OLD], now: () => new Date() })(delivery),
  );
  expect((await Promise.all(tried)).map(({ kind }) => kind)).toEqual([
    'delivered',
    'delivered',
    'again',
  ]);
  expect([receiver, old, stranger].map(({ calls }) => calls.length)).toEqual([1, 1, 0]);
  await Promise.all([old.close(), stranger.close()]);
});
