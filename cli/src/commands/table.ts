import type { Command } from './command.ts';

export interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** One line a command; what a command needs is loaded only when it is asked for. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  doctor: {
    summary: 'doctor [--json]: looks at the whole installation and says what to do',
    load: () => import('./doctor.ts'),
  },
  status: {
    summary: 'which services are ready, how many events wait, and the head of the books',
    load: () => import('./status.ts'),
  },
  audit: {
    summary: 'proves that the books are what was booked, or names the first bad row',
    load: () => import('./audit.ts'),
  },
  explain: {
    summary: 'all that the books know of an event, an order, a charge or an invoice',
    load: () => import('./explain.ts'),
  },
  review: {
    summary: 'what a person must look at: list, settle, dismiss',
    load: () => import('./review.ts'),
  },
  report: {
    summary: 'what came in a day or a month, per source, network and asset',
    load: () => import('./report.ts'),
  },
  rebuild: {
    summary: 'books every event again into a new database, and compares',
    load: () => import('./rebuild.ts'),
  },
  retention: {
    summary: 'empties the raw evidence of old events; the books stay',
    load: () => import('./retention.ts'),
  },
  export: {
    summary: 'the books for other programs',
    load: () => import('./export.ts'),
  },
  telegram: {
    summary: 'telegram setup: tells Telegram where the updates of the bot go',
    load: () => import('./telegram.ts'),
  },
  reconcile: {
    summary: 'takes in payments of CryptoBot and Telegram whose webhook never came',
    load: () => import('./reconcile.ts'),
  },
  replay: {
    summary: 'sends events to the ledger again, or makes calls again that have failed for good',
    load: () => import('./replay.ts'),
  },
  'test-alert': {
    summary: 'test-alert: sends an alert the whole way to the mail box',
    load: () => import('./test-alert.ts'),
  },
  'check-env': {
    summary: 'check-env: holds what Compose hands to the services against their schemas',
    load: () => import('./check-env.ts'),
  },
  'env-example': {
    summary: 'env-example [--docs]: prints .env.example, or docs/configuration.md',
    load: () => import('./env-example.ts'),
  },
  epn: {
    summary: 'epn url: the postback URL for the cabinet; epn missing: what EPN does not list',
    load: () => import('./epn.ts'),
  },
  'rotate-token': {
    summary: 'rotate-token epn: a new postback token beside the current one',
    load: () => import('./rotate-token.ts'),
  },
  'refresh-all': {
    summary: 'refresh-all [--lang en]: reads the VPN configs of all active purchases anew',
    load: () => import('./refresh-all.ts'),
  },
};
