import type { KopeckEvent } from '@kopeck/core/event';
import type { Delivery, Normalised } from '@kopeck/core/source';
import * as cryptobot from '../../../services/crypto/src/cryptobot/normalise.ts';
import { parse as parseCryptobot } from '../../../services/crypto/src/cryptobot/parse.ts';
import * as telegram from '../../../services/crypto/src/telegram/normalise.ts';
import { parse as parseTelegram } from '../../../services/crypto/src/telegram/parse.ts';

/** Which app was meant the signature told; the event keeps it. */
export function cryptobotReadings(
  event: KopeckEvent,
  delivery: Delivery,
): readonly Normalised<unknown>[] {
  const parsed = parseCryptobot(delivery);
  if (parsed.kind === 'senseless') return [parsed];
  const proof = { app: appOf(event), network: event.network };
  return [cryptobot.normalise(parsed.value, proof, delivery)];
}

export function telegramReadings(
  event: KopeckEvent,
  delivery: Delivery,
): readonly Normalised<unknown>[] {
  const parsed = parseTelegram(delivery);
  if (parsed.kind === 'senseless') return [parsed];
  return [telegram.normalise(parsed.value, { bot: appOf(event) }, delivery)];
}

function appOf({ data }: KopeckEvent): string {
  return 'app' in data ? data.app : '';
}
