import type { ImpatientDatabase } from '@kopeck/runtime/impatient-database';
import type { Mail, Send } from './mailer.ts';
import type { Memory } from './memory.ts';

/** How far the books are, and what they are: `kopeck audit --head` holds them against it for ever. */
export interface ChainHead {
  /** SEQ:HASH. */
  readonly head: string;
  /** When it was read, ISO 8601. */
  readonly at: string;
}

export interface HeadOptions {
  readonly database: ImpatientDatabase;
  readonly memory: Memory<ChainHead>;
  readonly now: () => Date;
}

const KEY = 'chain';

/** Reads the head and remembers it. Throws while the database is away. */
export async function readHead({ database, memory, now }: HeadOptions): Promise<void> {
  const [row] = await database.ask('SELECT seq, hash FROM chain_head WHERE id = 1');
  if (row === undefined) return;
  memory.set(KEY, { head: `${row['seq']}:${row['hash']}`, at: now().toISOString() });
}

/**
 * Every mail ends with the head of the books: a copy outside, that whoever owns the database cannot
 * change. While MariaDB is away it is the last one known.
 */
export function withHead(send: Send, options: HeadOptions): Send {
  return async (mail) => {
    const isRead = await readHead(options).then(
      () => true,
      () => false,
    );
    await send(signed(mail, options.memory.get(KEY), isRead));
  };
}

/** On a line of its own: what is longer than 76 characters would be encoded. */
function signed(mail: Mail, known: ChainHead | undefined, isRead: boolean): Mail {
  const when = isRead ? '' : `, last read ${known?.at.slice(0, 19).replace('T', ' ')} UTC`;
  const line =
    known === undefined
      ? 'Head of the books: not known yet, the database has not answered.'
      : `Head of the books${when}. Keep it; kopeck audit --head proves it:\n${known.head}`;
  return { ...mail, text: `${mail.text}\n${line}\n` };
}
