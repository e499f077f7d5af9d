import { describe, expect, test } from 'vitest';
import { redact, redactor } from '@kopeck/runtime/redact';

const clean = redactor([]);
const EPN_TOKEN = 'qN7-wT_4rZ8xB2mK6vL0pY5sD9fG3hJ1';
const BOT_TOKEN = '7000000001:AAHk3vT9xQ-zYb2Lr8fWc5Jd0Pn4Mg6Sa_E';
const HEX = '0cef300c8d6c6d2fb27d723872e6f52ea203f0bc3cb75977e12a1415a6cc0986';

describe('what leaves no trace in a line', () => {
  test.each([
    ['a bot token', BOT_TOKEN, '7000000001:***'],
    ['a bot token in a URL', `/bot${BOT_TOKEN}/getMe`, '/bot7000000001:***/getMe'],
    ['a bot token in an escaped URL', BOT_TOKEN.replace(':', '%3A'), '7000000001%3A***'],
    ['a Crypto Pay token', '12345:AAk2mPq9sXv4zB7nC1eFg3HjL5tRwYdU8iO', '12345:***'],
    ['a bearer', `Authorization: Bearer ${EPN_TOKEN}`, 'Authorization: Bearer ***'],
    ['a bearer in small letters', `bearer ${EPN_TOKEN}`, 'bearer ***'],
    ['basic credentials', 'Basic dXNlcjpwYXNzd29yZA==', 'Basic ***'],
    ['a bare authorization', `"authorization":"${EPN_TOKEN}"`, '"authorization":"***"'],
    ['a signature', `crypto-pay-api-signature: ${HEX}`, 'crypto-pay-api-signature: ***'],
    ['a signature in JSON', `{"signature":"${HEX}"}`, '{"signature":"***"}'],
    [
      'a signature in JSON in JSON',
      `{\\"signature\\":\\"${HEX}\\"}`,
      '{\\"signature\\":\\"***\\"}',
    ],
    ['a token in a query', '/x?token=abcd&page=2', '/x?token=***&page=2'],
    ['a key in a query', '/x?api_key=abcd', '/x?api_key=***'],
    ['a password in settings', 'user=kopeck;password=hunter2;', 'user=kopeck;password=***;'],
    ['the EPN path', `GET /webhook/${EPN_TOKEN}?click_id=1`, 'GET /webhook/***?click_id=1'],
    ['the EPN path in capitals', `/Webhook/${EPN_TOKEN}`, '/Webhook/***'],
    ['a near miss of it', `/webhook/${EPN_TOKEN}%20.x`, '/webhook/***'],
    ['a payment page', '/pay/Zm9vYmFyYmF6cXV4MTIzNA', '/pay/***'],
    ['a subscription', 'https://x.ru/sub/Zm9vYmFyYmF6cXV4MTIzNA"', 'https://x.ru/sub/***"'],
    ['a database password', 'mysql://kopeck:p%40ss@db:3306/k', 'mysql://kopeck:***@db:3306/k'],
    ['a Redis password', 'redis://:hunter2@127.0.0.1:6379/0', 'redis://:***@127.0.0.1:6379/0'],
    ['an SMTP password', 'smtps://a:b@mail.x', 'smtps://a:***@mail.x'],
    ['a phone', 'payer +79161234567 paid', 'payer +7*** paid'],
    ['a phone as people write it', '+7 (916) 123-45-67', '+7***'],
    ['a phone in a query', 'phone=%2B79161234567', 'phone=+7***'],
    ['a phone with an eight', '8 (916) 123-45-67', '+7***'],
    ['a card', 'card 4111111111111111.', 'card ****.'],
    ['a card in groups', '2200 7007 1234 5676', '****'],
    ['a card with dashes', '5555-5555-5555-4444', '****'],
    ['a card of nineteen digits', '6205500000000000004', '****'],
    ['an American Express card', '378282246310005', '****'],
  ])('%s', (_what, text, expected) => {
    expect(clean(text)).toBe(expected);
    expect(clean(`before ${text} after`)).toBe(`before ${expected} after`);
  });
});

describe('what an operator has to be able to read', () => {
  test.each([
    ['an event id', `sbp.payment.paid.${HEX.slice(0, 40)}`],
    ['a job id', `epn.affiliate.waiting.${HEX.slice(0, 40)}.${HEX.slice(0, 16)}`],
    ['a content hash', `contenthash ${HEX}`],
    ['a hash of digits alone', `${'4111111111111111'.repeat(2)}${'0'.repeat(8)}`],
    ['a UUID', '41111111-1111-1111-8111-111111111111'],
    ['a UUID of digits', '12345678-1234-4234-8234-123456789012'],
    ['a subject', 'payment:telegram:7000000001:main:stxAbCdEf_0-9'],
    ['a subject with a hash', `quarantine:epn:${HEX}`],
    ['a QR id', 'https://qr.nspk.ru/AD100004BAL7227F9BNP6KNE007J9B3K?type=02&sum=10000&crc=AB75'],
    ['an order number of 16 digits', 'order 8123456789012345'],
    ['an order number like a card’s with a wrong checksum', 'order 4111111111111112'],
    ['a time in milliseconds', '1759665600000'],
    ['a time in microseconds', '1759665600000000'],
    ['a time in nanoseconds', '1759665600000000000'],
    ['a time', '2026-10-05T12:35:03.000+07:00'],
    ['a large user id', 'user:4503599627370495'],
    ['a phone-like id without a plus', 'user:79161234567'],
    ['an amount', '1234567890.123456789012345678 USDT'],
    ['the paths of ours', '/webhook/cryptobot /webhook/telegram /webhook/sbp/raiffeisen'],
    ['a host and port', 'http://127.0.0.1:5000/api/payment?email=a@b.c'],
    ['a JSON mistake', `Unexpected token '<', "<html>" is not valid JSON`],
    ['a sentence about a token', 'the token: not accepted; signature: malformed'],
    ['a key that is missing', 'set EPN_SECRET_TOKEN'],
    ['a mail address', 'owner@example.org'],
  ])('%s', (_what, text) => {
    expect(clean(text)).toBe(text);
  });
});

describe('a known secret', () => {
  test('goes wherever it stands', () => {
    const known = redactor(['s3cret-value']);
    expect(known('a s3cret-value, xs3cret-valuex')).toBe('a ***, x***x');
  });

  test('goes whole when another one is a part of it', () => {
    expect(redactor(['abcdef', 'abcdef-and-more'])('abcdef-and-more')).toBe('***');
  });

  test('that is too short to be one does not eat the words of every line', () => {
    expect(redactor(['', 'a', 'paid'])('a payment was paid')).toBe('a payment was paid');
  });
});

describe('a field', () => {
  test.each([
    'authorization',
    'Authorization',
    'cookie',
    'Set-Cookie',
    'token',
    'tokens',
    'CRYPTOBOT_TOKEN',
    'X-Telegram-Bot-Api-Secret-Token',
    'crypto-pay-api-signature',
    'webhook-signature',
    'password',
    'smtpPassword',
    'apiKey',
    'ADMIN_API_KEY',
    'phone',
    'payerPhone',
    'phone_number',
    'pan',
    'cardNumber',
    'cardOwner',
  ])('named %s is not written', (name) => {
    expect(redact({ [name]: 'x' }, clean)).toEqual({ [name]: '***' });
    expect(redact([{ deep: { [name]: { x: 1 } } }], clean)).toEqual([{ deep: { [name]: '***' } }]);
  });

  test.each(['event', 'contenthash', 'panel', 'orderNumber', 'company', 'job', 'tokenize'])(
    'named %s is written',
    (name) => {
      expect(redact({ [name]: 'x' }, clean)).toEqual({ [name]: 'x' });
    },
  );
});

test('a long line is cleaned in a moment, whatever it holds', () => {
  for (const part of ['1', '1 ', 'a:', '://a', '/webhook/', '+7 ', 'token=', 'Bearer ', '1234-']) {
    clean(part.repeat(100_000));
  }
});
