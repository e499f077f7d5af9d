import { verifyMailServer } from '../../../services/courier/src/mailer.ts';
import type { Context } from '../commands/command.ts';
import { error, ok, warn, type Check, type Finding } from './check.ts';

/** Would anybody hear of trouble? */
export const MAIL_CHECKS: readonly Check[] = [{ name: 'mail', run: mail }];

async function mail({ find }: Context): Promise<readonly Finding[]> {
  const [url, to] = [find('SMTP_URL'), find('ALERT_EMAIL')];
  if (!url || !to) {
    const missing = [url ? [] : ['SMTP_URL'], to ? [] : ['ALERT_EMAIL']].flat().join(' and ');
    return [
      warn(
        `nobody gets alerts: ${missing} is not set`,
        'Set it with `kopeck env set`, then `kopeck restart courier` and `kopeck test-alert`.',
      ),
    ];
  }
  try {
    await verifyMailServer(url);
    return [ok('the mail server answers and lets us in')];
  } catch (thrown) {
    return [refused(thrown)];
  }
}

function refused(thrown: unknown): Finding {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
  if (code === 'EAUTH') {
    return error(
      'the mail server refuses the user or the password',
      'Many providers want a password made for programs; set SMTP_URL to it, with % escapes.',
    );
  }
  if (code === 'ETLS') {
    return error(
      'the mail server offers no TLS that holds, and a password goes over nothing else',
      'Try smtps:// with 465 in SMTP_URL. If the way to the server is your own, put ?requireTLS=false at its end.',
    );
  }
  return error(
    `the mail server cannot be reached (${code})`,
    'See host, port and scheme in SMTP_URL: smtps:// with 465, smtp:// with 587. Many hosts block 25.',
  );
}
