import type { Source } from '@kopeck/core/source';
import { appsOf, type CryptobotCredentials } from './config.ts';
import { EVIDENCE_HEADERS, normalise } from './normalise.ts';
import { parse, type CryptobotNotification } from './parse.ts';
import { verify, type CryptobotProof } from './verify.ts';

/** Crypto Pay's webhook: paid invoices of all apps whose token we hold, on both networks. */
export function cryptobotSource(
  config: CryptobotCredentials,
): Source<CryptobotProof, CryptobotNotification> {
  const apps = appsOf(config);
  return {
    name: 'cryptobot',
    proves: 'body',
    evidenceHeaders: EVIDENCE_HEADERS,
    verify: (delivery) => verify(delivery, apps),
    parse,
    normalise,
  };
}
