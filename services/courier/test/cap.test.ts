import { expect, test } from 'vitest';
import { noLog } from '@kopeck/runtime/log';
import { createCap } from '../src/cap.ts';
import type { Mail } from '../src/mailer.ts';
import type { Memory } from '../src/memory.ts';

const MINUTE = 60_000;

function memoryOf(known: Map<string, string>): Memory<string> {
  return {
    get: (key) => known.get(key),
    set: (key, value) => void known.set(key, value),
    delete: (key) => void known.delete(key),
    entries: () => [...known],
    loaded: Promise.resolve(),
  };
}

test('after so many mails within an hour one more says that there will be none, until the hour is over', async () => {
  const sent: string[] = [];
  let clock = Date.UTC(2026, 10, 22, 12);
  const send = ({ subject }: Mail) => Promise.resolve(void sent.push(subject));
  const memory = memoryOf(new Map());
  const options = { send, memory, perHour: 3, perDay: 5, log: noLog, now: () => new Date(clock) };
  const cap = createCap(options);
  const mail = (subject: string) => cap.send({ subject, text: '', thread: '' });

  for (const subject of ['1', '2', '3']) await mail(subject);
  expect(sent).toEqual(['1', '2', '3', 'MUTED: too many mails']);
  expect(cap.isMuted()).toBe(true);
  // Another life of the courier knows it too.
  expect(createCap(options).isMuted()).toBe(true);

  clock += 60 * MINUTE;
  expect(cap.isMuted()).toBe(false);
  for (const subject of ['4', '5']) await mail(subject);
  expect(sent.slice(4)).toEqual(['4', '5', 'MUTED: too many mails']);
  clock += 61 * MINUTE;
  expect(cap.isMuted()).toBe(true);
  clock += 24 * 60 * MINUTE;
  expect(cap.isMuted()).toBe(false);
});

test('a mail that was not taken is not counted', async () => {
  const memory = memoryOf(new Map());
  const send = () => Promise.reject(new Error('the mailbox is full'));
  const cap = createCap({ send, memory, perHour: 1, perDay: 1, log: noLog, now: () => new Date() });
  await expect(cap.send({ subject: '', text: '', thread: '' })).rejects.toThrow('full');
  expect(cap.isMuted()).toBe(false);
});
