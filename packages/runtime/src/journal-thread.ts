import { parentPort, workerData } from 'node:worker_threads';
import { openFolder } from './journal-folder.ts';
import {
  perform,
  type Answer,
  type Folder,
  type Opening,
  type Question,
} from './journal-holder.ts';
import { giveMemoryBack } from './memory.ts';

// The program of the thread that holds a journal: opens it, and does what it is asked for, in turn.

const port = parentPort;
if (port === null) throw new Error('this is the program of a thread');

const { dir, maxBytes } = workerData as Folder;
const { own, adopted } = openFolder(dir, maxBytes);
const opening: Opening = { id: own.id, adopted };
port.on('message', ({ call, args }: Question) => {
  port.postMessage(answerTo({ call, args }));
  if (call === 'close') port.close();
});
port.postMessage(opening);
// The thread has a heap of its own.
giveMemoryBack();

function answerTo({ call, args }: Question): Answer {
  try {
    return { result: perform(own, call, args) };
  } catch (error) {
    return { error };
  }
}
