import { quoted } from './env-file.ts';
import { kopeckEnvFile } from './kopeck-env.ts';
import { SERVICES } from './services.ts';

type Values = Readonly<Record<string, string | undefined>>;

const WHAT: Readonly<Record<string, string>> = {
  sbp: 'SBP payments',
  crypto: 'CryptoBot and Telegram Stars',
  epn: 'EPN.bz postbacks',
  admin: 'VPN configs',
  ledger: 'the books',
  courier: 'alerts',
};

/** Where everything is. Holds no secret. */
export function urlTable(values: Values): string {
  const rows = SERVICES.map(({ name }) => {
    const key = name.toUpperCase();
    return [name, values[`${key}_URL`], values[`${key}_METRICS_URL`], WHAT[name]];
  });
  rows.push(['sandbox', values['SANDBOX_URL'], '', 'partners that play along, see /__sandbox']);
  rows.push(['mail', values['SMTP_URL'], '', `kept in ${values['KOPECK_MAIL_DIR']}`]);
  rows.push(['mariadb', `127.0.0.1:${values['MARIADB_PORT']}`, '', 'database kopeck']);
  rows.push(['redis', `127.0.0.1:${values['REDIS_PORT']}`, '', 'queues']);
  return table([['', 'URL', 'metrics, /ready', ''], ...rows]);
}

function table(rows: readonly (readonly (string | undefined)[])[]): string {
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) => row.map((cell, column) => (cell ?? '').padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}

/** Each works by itself, in any folder; the secrets are taken from kopeck.env when it runs. */
export function curlLines(home: string, values: Values): readonly string[] {
  const file = quoted(kopeckEnvFile(home));
  const secret = (key: string): string => `$(. ${file}; printf %s "$${key}")`;
  const stars = {
    update_id: 1,
    message: {
      message_id: 1,
      from: { id: 5123456789, is_bot: false, first_name: 'Maria' },
      chat: { id: 5123456789, type: 'private' },
      date: 1791206105,
      successful_payment: {
        currency: 'XTR',
        total_amount: 150,
        invoice_payload: '{"telegram_id":5123456789,"amount_ndn":1500}',
        telegram_payment_charge_id: 'try-1',
        provider_payment_charge_id: '5123456789_1',
      },
    },
  };
  return [
    `curl -X POST ${values['SBP_URL']}/api/payment -H "Authorization: Bearer ${secret('WEBHOOK_API_TOKEN')}" -H 'Content-Type: application/json' -d '{"amount":100,"orderId":"order-1"}'`,
    `curl -X POST ${values['CRYPTO_URL']}/webhook/telegram -H "X-Telegram-Bot-Api-Secret-Token: ${secret('TELEGRAM_WEBHOOK_SECRET')}" -H 'Content-Type: application/json' -d '${JSON.stringify(stars)}'`,
    `curl "${values['EPN_URL']}/webhook/${secret('EPN_SECRET_TOKEN')}?click_id=123&order_number=ORDER-001&uniq_id=EPN-12345&order_status=waiting&revenue=1500&commission_fee=100"`,
    `curl -X POST ${values['ADMIN_URL']}/admin/update_configs/1 -H "Authorization: Bearer ${secret('ADMIN_API_KEY')}"`,
    `curl ${values['LEDGER_URL']}/api/ledger/balances/user:5123456789 -H "Authorization: Bearer ${secret('LEDGER_API_TOKEN')}"`,
  ];
}

export function banner(home: string, values: Values): string {
  return [
    '',
    'Kopeck is running. Ctrl-C stops it, and so does `npm stop` in another terminal.',
    '',
    urlTable(values),
    '',
    'Try, in another terminal:',
    '',
    ...curlLines(home, values).map((line) => `${line}\n`),
    'Or play a partner, and see what is booked:',
    '',
    '  npm run simulate -- pay order-1',
    '  npm run simulate -- stars 5123456789 1500',
    '  npm run simulate -- cryptobot 12345',
    '  npm run simulate -- epn ORDER-001 completed',
    '',
    `Every URL, token and secret of this run is in ${kopeckEnvFile(home)} (for a shell to source).`,
    '',
  ].join('\n');
}
