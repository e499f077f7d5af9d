import type { OpenDouble } from '../double.ts';
import { openDialect, type DialectOptions } from './dialect.ts';
import type { Merchant } from './notification.ts';
import { raiffeisenDialect } from './raiffeisen.ts';

export interface AcquirerOptions extends Merchant, DialectOptions {}

/** An SBP acquirer that speaks as Raiffeisen does: the API base is `<origin>/raiffeisen/api`. */
export function openAcquirer(options: AcquirerOptions): OpenDouble {
  return openDialect(raiffeisenDialect(options), options);
}
