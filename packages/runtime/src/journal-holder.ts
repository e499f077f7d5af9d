import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { JournalFile } from './journal-file.ts';
import { openFolder } from './journal-folder.ts';

/** What a journal asks of its file. */
export type Call =
  | 'insert'
  | 'pending'
  | 'waiting'
  | 'mark'
  | 'forwarded'
  | 'unmarkAll'
  | 'prune'
  | 'bytes'
  | 'close';

export interface Folder {
  readonly dir: string;
  readonly maxBytes: number;
}

export interface Opening {
  readonly id: string;
  readonly adopted: readonly string[];
}

/** The file of a journal, wherever it is held. Calls are done one after the other. */
export interface Holder extends Opening {
  readonly ask: <C extends Call>(
    call: C,
    ...args: Parameters<JournalFile[C]>
  ) => Promise<ReturnType<JournalFile[C]>>;
}

/** What goes to the thread. */
export interface Question {
  readonly call: Call;
  readonly args: readonly unknown[];
}

/** And what comes back, in the order of the questions. */
export type Answer = { readonly result: unknown } | { readonly error: unknown };

export function perform(file: JournalFile, call: Call, args: readonly unknown[]): unknown {
  return (file[call] as (...given: readonly unknown[]) => unknown)(...args);
}

/** On the thread of whoever asks. Throws as openFolder does. */
export function holdHere({ dir, maxBytes }: Folder): Holder {
  const { own, adopted } = openFolder(dir, maxBytes);
  const ask = async (call: Call, ...args: readonly unknown[]): Promise<unknown> =>
    perform(own, call, args);
  return { id: own.id, adopted, ask: ask as Holder['ask'] };
}

/**
 * On a thread of its own: a disk that takes its time for an fsync holds up nobody who is not waiting for
 * it. Throws as openFolder does. If the thread dies the process does, too: its 'error' has no listener.
 */
export async function holdOnThread(folder: Folder): Promise<Holder> {
  const thread = new Worker(new URL('./journal-thread.ts', import.meta.url), {
    workerData: folder,
  });
  const [opening] = (await once(thread, 'message')) as [Opening];
  const asked: PromiseWithResolvers<unknown>[] = [];
  let isOver = false;

  thread.on('message', (answer: Answer) => {
    const first = asked.shift();
    if ('error' in answer) first?.reject(answer.error);
    else first?.resolve(answer.result);
  });
  thread.on('exit', () => {
    isOver = true;
    for (const { reject } of asked.splice(0)) reject(closed());
  });

  const ask = (call: Call, ...args: readonly unknown[]): Promise<unknown> => {
    if (isOver) return Promise.reject(closed());
    const answer = Promise.withResolvers<unknown>();
    asked.push(answer);
    const question: Question = { call, args };
    thread.postMessage(question);
    return answer.promise;
  };
  return { ...opening, ask: ask as Holder['ask'] };
}

function closed(): Error {
  return new Error('the journal is closed');
}
