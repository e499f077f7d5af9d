import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as tls from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeAuthority } from '@kopeck/sandbox/certificate';
import { createMailer, verifyMailServer } from '../src/mailer.ts';
import { isPrivateHost } from '../src/private-host.ts';

const USER = 'kopeck@shop.test';
const PASSWORD = 'a password: with/odd@signs';
const MAIL = { subject: 'OPEN: a test', text: 'Nothing is wrong.\n', thread: 'test' };

const { ca, key, cert } = makeAuthority('127.0.0.1');
const known = tls.getCACertificates('default');
let server: SMTPServer;
let received: string[];

beforeEach(() => {
  received = [];
  tls.setDefaultCACertificates([...known, ca]);
});
afterEach(async () => {
  tls.setDefaultCACertificates(known);
  await new Promise((resolve) => server.close(() => resolve(null)));
});

async function start(options: SMTPServerOptions): Promise<number> {
  server = new SMTPServer({
    key,
    cert,
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, done) =>
      username === USER && password === PASSWORD
        ? done(null, { user: username })
        : done(new Error('who are you?')),
    onData(stream, session, done) {
      received.push(session.secure ? 'over TLS' : 'in clear');
      stream.resume().on('end', () => done());
    },
    ...options,
  });
  server.on('error', () => undefined);
  const listener = server.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return (listener.address() as AddressInfo).port;
}

const login = (password = PASSWORD): string =>
  `${encodeURIComponent(USER)}:${encodeURIComponent(password)}`;

function send(url: string): Promise<void> {
  return createMailer({ url, to: 'operator@shop.test', from: undefined })(MAIL);
}

test('TLS from the first byte, with a login', async () => {
  const port = await start({ secure: true });
  await send(`smtps://${login()}@127.0.0.1:${port}`);
  expect(received).toEqual(['over TLS']);
});

test('TLS by STARTTLS, with a login that is given over TLS only', async () => {
  const port = await start({ secure: false, allowInsecureAuth: false });
  await send(`smtp://${login()}@127.0.0.1:${port}`);
  expect(received).toEqual(['over TLS']);
});

test('a wrong password is refused, and is not in the error', async () => {
  const port = await start({ secure: true });
  const failure = await send(`smtps://${login('wrong password')}@127.0.0.1:${port}`).catch(
    (error: unknown) => String(error),
  );
  expect(failure).toContain('who are you?');
  expect(failure).not.toContain('wrong password');
  expect(received).toEqual([]);
});

test('a server whose certificate nobody knows gets neither the password nor the mail', async () => {
  tls.setDefaultCACertificates(known);
  const port = await start({ secure: true });
  await expect(send(`smtps://${login()}@127.0.0.1:${port}`)).rejects.toThrow(/certificate/);
  expect(received).toEqual([]);
});

// An address of this machine that is none of a private network.
const ABROAD = '0.0.0.0';

/** It offers a login without TLS, as who has taken STARTTLS out of the answer does. */
async function startInClear(): Promise<{ port: number; logins: string[] }> {
  const logins: string[] = [];
  const port = await start({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authOptional: true,
    onAuth: ({ username = '' }, _session, done) => {
      logins.push(username);
      done(null, { user: username });
    },
  });
  return { port, logins };
}

test('a server that offers no TLS gets neither the login nor the mail', async () => {
  const { port, logins } = await startInClear();
  const url = `smtp://${login()}@${ABROAD}:${port}`;
  await expect(send(url)).rejects.toMatchObject({ code: 'ETLS' });
  await expect(verifyMailServer(url)).rejects.toMatchObject({ code: 'ETLS' });
  expect([logins, received]).toEqual([[], []]);
});

test('a server in the same network may have none, as may one of which the URL says so', async () => {
  const { port, logins } = await startInClear();
  await send(`smtp://${login()}@127.0.0.1:${port}`);
  await send(`smtp://${login()}@${ABROAD}:${port}?requireTLS=false`);
  expect([logins, received]).toEqual([
    [USER, USER],
    ['in clear', 'in clear'],
  ]);
});

test('a mail without a login goes in clear where there is no TLS', async () => {
  const { port } = await startInClear();
  await send(`smtp://${ABROAD}:${port}`);
  expect(received).toEqual(['in clear']);
});

test.each([
  ['127.0.0.1', true],
  ['10.1.2.3', true],
  ['192.168.0.7', true],
  ['[::1]', true],
  ['[fd12::1]', true],
  ['localhost', true],
  ['mail', true],
  ['mail.example.com', false],
  ['mail.example.com.', false],
  ['8.8.8.8', false],
  ['134744072', false],
  ['[2001:db8::1]', false],
  ['', false],
])('%s is in the same network: %s', (host, isPrivate) => {
  expect(isPrivateHost(host)).toBe(isPrivate);
});
