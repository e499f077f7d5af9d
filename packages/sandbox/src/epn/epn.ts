import { EPN_MACROS } from '@kopeck/core/epn-macros';

type Macro = (typeof EPN_MACROS)[number];

export interface EpnPostbackOptions {
  /** `http://127.0.0.1:8090`: where epn listens. */
  readonly origin: string;
  readonly token: string;
  readonly orderNumber: string;
  /** In EPN's words: waiting, pending, completed or rejected. */
  readonly status: string;
  /** Other values than those of the usual order; undefined leaves the parameter out. */
  readonly fields?: Readonly<Partial<Record<Macro, string | undefined>>>;
}

/**
 * The URL that EPN would GET, with every macro filled in. An order number always has the same uniq_id,
 * so its statuses belong to one action; the token in the path is all that such a postback is signed with.
 */
export function epnPostback(options: EpnPostbackOptions): string {
  const { origin, token, orderNumber, status, fields = {} } = options;
  const filled = {
    ...USUAL,
    order_number: orderNumber,
    uniq_id: `EPN-${orderNumber}`,
    order_status: status,
    ...fields,
  };
  const query = EPN_MACROS.flatMap((macro) => {
    const value = filled[macro];
    return value === undefined ? [] : [`${macro}=${encodeURIComponent(value)}`];
  });
  return `${origin}/webhook/${token}?${query.join('&')}`;
}

const USUAL: Readonly<Record<Exclude<Macro, 'order_number' | 'uniq_id' | 'order_status'>, string>> =
  {
    click_id: '123',
    offer_name: 'AliExpress RU&CIS',
    offer_type: 'aliexpress',
    offer_id: '1',
    type_id: '1',
    sub: 'tg',
    sub2: '',
    sub3: '',
    sub4: '',
    sub5: '',
    revenue: '1500',
    commission_fee: '100',
    currency: 'RUB',
    ip: '203.0.113.24',
    ipv6: '',
    user_agent: 'Mozilla/5.0 (Linux; Android 14)',
    click_time: '2026-03-11 18:02:41',
    time_of_order: '2026-03-11 18:40:07',
    country_code: 'RU',
  };
