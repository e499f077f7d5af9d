import { createTransport, type Transporter } from 'nodemailer';
import { isPrivateHost } from './private-host.ts';

export interface Mail {
  readonly subject: string;
  readonly text: string;
  /** Mails of one incident share it, so that a reader shows them as one conversation. */
  readonly thread: string;
}

/** Resolves when the mail server has taken it. */
export type Send = (mail: Mail) => Promise<void>;

export interface MailerOptions {
  readonly url: string;
  readonly to: string;
  readonly from: string | undefined;
}

const SMTP_TIMEOUT_MS = 10_000;

export function createMailer({ url, to, from }: MailerOptions): Send {
  const transport = transportTo(url);
  return async ({ subject, text, thread }) => {
    await transport.sendMail({
      to,
      from: from ?? to.split(',')[0]?.trim(),
      subject: `[kopeck] ${subject}`,
      text,
      references: `<${thread.replaceAll(/[^A-Za-z0-9.-]+/g, '-')}@kopeck>`,
      // No holiday notices in return (RFC 3834).
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    });
  };
}

/** Connects and logs in, and sends nothing. Throws what nodemailer throws. */
export async function verifyMailServer(url: string): Promise<void> {
  const transport = transportTo(url);
  try {
    await transport.verify();
  } finally {
    transport.close();
  }
}

function transportTo(url: string): Transporter {
  return createTransport({
    url,
    // What the URL itself says of it is stronger.
    requireTLS: needsTls(url),
    connectionTimeout: SMTP_TIMEOUT_MS,
    greetingTimeout: SMTP_TIMEOUT_MS,
    socketTimeout: SMTP_TIMEOUT_MS,
  });
}

/**
 * Who stands between us and the mail server can leave STARTTLS out of its answer, and would be given the
 * password: beyond one's own network it goes over TLS alone.
 */
function needsTls(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { protocol, username, password, hostname } = new URL(url);
  const hasLogin = username !== '' || password !== '';
  return protocol !== 'smtps:' && hasLogin && !isPrivateHost(hostname);
}
