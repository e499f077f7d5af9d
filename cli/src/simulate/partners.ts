import { cryptobot } from './cryptobot.ts';
import { epn } from './epn.ts';
import type { Show } from './exchange.ts';
import { pay } from './pay.ts';
import type { Target } from './running.ts';
import { stars } from './stars.ts';

export interface Stage {
  readonly target: Target;
  readonly show: Show;
}

export interface Partner {
  readonly usage: string;
  readonly example: string;
  readonly what: string;
  /** How many arguments it takes. */
  readonly least: number;
  readonly most: number;
  /** Plays it, shows what was said, and gives the id of the event that came of it; null: of none. */
  readonly play: (args: readonly string[], stage: Stage) => Promise<string | null>;
}

export const PARTNERS: Readonly<Record<string, Partner>> = {
  pay: {
    usage: 'pay <order> [amount in roubles] [acquirer]',
    example: 'pay order-1',
    what: 'a payer scans the QR code of the order and pays it; an unknown order is made first (100 RUB)',
    least: 1,
    most: 3,
    play: pay,
  },
  stars: {
    usage: 'stars <telegram user id> <amount of NDN>',
    example: 'stars 5123456789 1500',
    what: 'a Telegram user pays for so many NDN with Stars',
    least: 2,
    most: 2,
    play: stars,
  },
  cryptobot: {
    usage: 'cryptobot <invoice id> [amount asset]',
    example: 'cryptobot 12345 4.5 USDT',
    what: 'a CryptoBot invoice is paid (4.5 USDT)',
    least: 1,
    most: 3,
    play: cryptobot,
  },
  epn: {
    usage: 'epn <order number> <waiting|pending|completed|rejected> [commission]',
    example: 'epn ORDER-001 completed 100',
    what: 'EPN.bz reports an order (commission 100 RUB)',
    least: 2,
    most: 3,
    play: epn,
  },
};
