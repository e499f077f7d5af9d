import { EPN_MACROS } from '@kopeck/core/epn-macros';
import type { EventType } from '@kopeck/core/event';

export type AffiliateType = Extract<EventType, `affiliate.${string}`>;

/** How a network writes a time. What is written in no known zone stays as it is. */
export type TimeFormat = 'as_written' | 'iso' | 'unix_s' | 'unix_ms';

/** EPN's names are ours for every network. */
export const FIELDS = EPN_MACROS;
export type Field = (typeof FIELDS)[number];

/** Personal data: kept as evidence alone, which retention may empty. */
export const PERSONAL_FIELDS = ['ip', 'ipv6', 'user_agent'] as const satisfies readonly Field[];

/** What differs from one affiliate network to the next: words, and nothing that would need code. */
export interface Network {
  /** Lower case; the partner of its actions and, but for EPN, the end of its accounts. */
  readonly partner: string;
  /** Our field to their parameter. Null: the network uses our names, and each field has its own. */
  readonly parameters: Readonly<Partial<Record<Field, string>>> | null;
  /** Their word, in lower case, to our type; 'ignore' is answered 200 and not kept. */
  readonly statuses: ReadonlyMap<string, AffiliateType | 'ignore'>;
  readonly times: Readonly<Partial<Record<Field, TimeFormat>>>;
  /** 1 234,50 instead of 1234.50. */
  readonly decimalComma: boolean;
  /** Must be there, besides click_id and order_number. */
  readonly required: readonly Field[];
  /** Fields that stay the same while an order goes through its statuses: its id, where there is no other. */
  readonly syntheticFrom: readonly Field[];
  readonly defaultCurrency: string;
  /** A 400 for what makes no sense. Networks that switch a URL off after some errors get 200 instead. */
  readonly complains: boolean;
}
