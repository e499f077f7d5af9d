import type { Progress } from './progress.ts';

export const LANGUAGES = ['ru', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

interface Words {
  readonly title: string;
  readonly results: string;
  readonly ok: (n: number) => string;
  readonly partial: (n: number) => string;
  readonly failed: (n: number) => string;
  readonly connection: (n: number) => string;
  readonly cancelled: (n: number) => string;
  readonly total: (n: number) => string;
  readonly someUpdated: string;
  readonly noneUpdated: string;
  readonly nobodyReached: readonly string[];
}

/** The operators' words: their bots show them, and some compare them, letter by letter. */
const WORDS: Readonly<Record<Language, Words>> = {
  ru: {
    title: '🔄 Обновление ссылок Subscription',
    results: '📊 Результаты:',
    ok: (n) => `• ✅ Успешно: ${n} ссылок`,
    partial: (n) => `• 🟡 Частично: ${n} ссылок`,
    failed: (n) => `• ❌ Неудачно: ${n} ссылок`,
    connection: (n) => `• 📡 Ошибка соединения: ${n} ссылок`,
    cancelled: (n) => `• ⏹ Отменено: ${n} ссылок`,
    total: (n) => `• 📈 Всего: ${n} ссылок`,
    someUpdated: '🎉 Некоторые ссылки успешно обновлены.',
    noneUpdated: '⚠️ Ни одна ссылка не обновлена.',
    nobodyReached: [
      '⚠️ Проблема: webhook server недоступен.',
      'Пожалуйста, убедитесь, что webhook server запущен.',
    ],
  },
  en: {
    title: '🔄 Updating Subscription links',
    results: '📊 Results:',
    ok: (n) => `• ✅ Successful: ${n} links`,
    partial: (n) => `• 🟡 In part: ${n} links`,
    failed: (n) => `• ❌ Failed: ${n} links`,
    connection: (n) => `• 📡 Connection errors: ${n} links`,
    cancelled: (n) => `• ⏹ Cancelled: ${n} links`,
    total: (n) => `• 📈 Total: ${n} links`,
    someUpdated: '🎉 Some links have been updated.',
    noneUpdated: '⚠️ No link has been updated.',
    nobodyReached: [
      '⚠️ Problem: the webhook server cannot be reached.',
      'Please make sure that the webhook server is running.',
    ],
  },
};

type Counters = Pick<
  Progress,
  'ok' | 'partial' | 'failed' | 'connectionErrors' | 'cancelled' | 'total'
>;

/** What an operator's bot prints. Lines that are seldom needed appear only when they count something. */
export function reportText(counters: Counters, language: Language): string {
  const { ok, partial, failed, connectionErrors, cancelled, total } = counters;
  const words = WORDS[language];
  return [
    words.title,
    '',
    words.results,
    words.ok(ok),
    ...(partial > 0 ? [words.partial(partial)] : []),
    words.failed(failed),
    words.connection(connectionErrors),
    ...(cancelled > 0 ? [words.cancelled(cancelled)] : []),
    words.total(total),
    '',
    ...verdict(counters, words),
  ].join('\n');
}

function verdict(
  { ok, partial, connectionErrors, total }: Counters,
  words: Words,
): readonly string[] {
  if (ok + partial > 0) return [words.someUpdated];
  return connectionErrors > 0 && connectionErrors === total
    ? words.nobodyReached
    : [words.noneUpdated];
}

/** In both languages, for a bot that knows its reader's. */
export function reportsOf(counters: Counters): Readonly<Record<Language, string>> {
  return { ru: reportText(counters, 'ru'), en: reportText(counters, 'en') };
}
