import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as tls from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeAuthority } from '@kopeck/sandbox/certificate';
import { createMailer } from '../src/mailer.ts';

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
