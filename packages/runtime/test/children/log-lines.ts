import { createLog } from '@kopeck/runtime/log';

/** Logs everything that has ever leaked or crashed a logger; the test reads its stdout. */
export const KNOWN_SECRET = 'known/secret+with "quotes"';
export const SHORTER_SECRET = 'known/secret';

const TOKEN = '7000000001:AAHk3vT9xQ-zYb2Lr8fWc5Jd0Pn4Mg6Sa_E';

class HttpClientError extends Error {
  override name = 'HttpClientError' as const;
  readonly code = 'ERR_BAD_RESPONSE';
  readonly status = 404;
  readonly config = {
    url: `https://api.telegram.org/bot${TOKEN}/getMe`,
    headers: { Authorization: 'Bearer inner-of-config', 'x-plain': 'inner-of-config' },
    data: 'inner-of-config',
  };
  readonly request = { path: 'inner-of-request', socket: this.config };
  readonly response = { headers: { 'set-cookie': ['inner-of-response'] }, config: this.config };
}

const log = createLog({ service: 'test', level: 'info', secrets: [SHORTER_SECRET, KNOWN_SECRET] });

log.debug('below the level', { secret: KNOWN_SECRET });
log.info('plain');
log.info('percent %s %d %o', { kept: 1 });
log.info('reserved', { level: 'error', message: 'theirs', service: 'theirs', timestamp: 'theirs' });

const root = new TypeError('connect to redis://default:hunter2@127.0.0.1:6379 failed');
const middle = new Error(`call of /bot${TOKEN}/sendMessage failed`, { cause: root });
log.error('nested', { error: new Error(`outer, with ${KNOWN_SECRET}`, { cause: middle }) });
log.error('client', { error: new HttpClientError('Request failed with status code 404') });
log.error('client deep', { a: { b: { c: { d: { e: { f: new HttpClientError('deep') } } } } } });
log.error('cause is no error', { error: new Error('x', { cause: { token: 'inner-of-cause' } }) });
log.error('gathered', {
  error: Object.assign(new AggregateError([new Error('over IPv6'), new Error('over IPv4')]), {
    code: 'ECONNREFUSED',
  }),
});

const selfish = new Error('selfish');
selfish.cause = selfish;
log.error('cycle of errors', { error: selfish });

const cycle: Record<string, unknown> = { name: 'cycle' };
cycle['self'] = cycle;
log.info('cycle', { cycle });

log.info('values', {
  big: 12345678901234567890n,
  date: new Date(0),
  never: new Date(Number.NaN),
  bytes: Buffer.from('body'),
  nothing: null,
  undefinedValue: undefined,
  list: [1, 'two', [3n]],
});
log.info('names', {
  headers: { 'X-Telegram-Bot-Api-Secret-Token': 'abc', Cookie: 'abc', accept: 'json' },
  EPN_SECRET_TOKEN: ['abc', 'abcd'],
  missingToken: null,
  [KNOWN_SECRET]: 'as a key',
});
log.info('spellings', {
  url: `http://x/?a=${encodeURIComponent(KNOWN_SECRET)}`,
  json: JSON.stringify({ value: KNOWN_SECRET }),
});
log.info('numbers', { card: 4111111111111111, order: 8123456789012345, at: 1759665600000 });
