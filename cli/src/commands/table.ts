import type { Command } from './command.ts';

export interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** One line a command; what a command needs is loaded only when it is asked for. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  audit: {
    summary: 'proves that the books are what was booked, or names the first bad row',
    load: () => import('./audit.ts'),
  },
};
