/** What installing needs of the outside world. */
export interface Machine {
  readonly find: () => { readonly missing: readonly string[] };
  readonly has: (command: string) => boolean;
  readonly isRoot: boolean;
  readonly run: (command: string, args: readonly string[]) => Promise<number>;
  readonly ask: (command: string, args: readonly string[]) => string;
  readonly say: (text: string) => void;
}

export function ensureDatabases(machine: Machine): Promise<void>;
export function thisMachine(): Machine;
