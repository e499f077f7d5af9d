import { isRecord, textAt } from '@kopeck/core/json';

const TEMPLATES = ['credited', 'subscribed', 'paid', 'refunded', 'partly-refunded'] as const;
type Template = (typeof TEMPLATES)[number];

const LANGUAGES = ['ru', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

export type Messages = Readonly<Record<Language, Readonly<Record<Template, string>>>>;

/** {amount}, {asset}, {plan} and {until} are filled in where the message has them. */
const DEFAULTS: Messages = {
  ru: {
    credited: 'Зачислено {amount} {asset}.',
    subscribed: 'Подписка «{plan}» действует до {until}.',
    paid: 'Оплата получена: {amount} {asset}. Спасибо!',
    refunded: 'Платёж возвращён: {amount} {asset}.',
    'partly-refunded': 'Часть платежа возвращена.',
  },
  en: {
    credited: '{amount} {asset} credited.',
    subscribed: 'Your “{plan}” subscription runs until {until}.',
    paid: 'We have received {amount} {asset}. Thank you!',
    refunded: 'Your payment was refunded: {amount} {asset}.',
    'partly-refunded': 'A part of your payment was refunded.',
  },
};

/** MESSAGES: `{"ru":{"credited":"…"}}` in place of what it names. Null: it makes no sense. */
export function parseMessages(text: string): Messages | null {
  const given = parseJson(text);
  if (!isRecord(given)) return null;
  const merged: Record<string, Readonly<Record<Template, string>>> = { ...DEFAULTS };
  for (const [language, texts] of Object.entries(given)) {
    const defaults = merged[language];
    if (defaults === undefined || !isRecord(texts)) return null;
    if (!Object.entries(texts).every(([key, value]) => isTemplate(key) && isMessage(value))) {
      return null;
    }
    merged[language] = { ...defaults, ...texts };
  }
  return merged as unknown as Messages;
}

/** Null: no such message. `fallback` speaks to whoever's language is not known. */
export function messageText(
  payload: Readonly<Record<string, unknown>>,
  messages: Messages,
  fallback: Language,
): string | null {
  const template = textAt(payload, 'template') ?? '';
  if (!isTemplate(template)) return null;
  const language = languageOf(textAt(payload, 'language'), fallback);
  const values: Readonly<Record<string, string | null>> = {
    amount: textAt(payload, 'amount'),
    asset: assetName(textAt(payload, 'asset')),
    plan: textAt(payload, 'plan'),
    until: dayOf(textAt(payload, 'activeUntil'), language),
  };
  return messages[language][template].replaceAll(
    /\{(\w+)\}/g,
    (whole, name: string) => values[name] ?? whole,
  );
}

function languageOf(code: string | null, fallback: Language): Language {
  if (code === null) return fallback;
  return /^(ru|be|kk|uk)(-|$)/i.test(code) ? 'ru' : 'en';
}

function assetName(asset: string | null): string | null {
  return asset === 'XTR' ? '⭐' : asset;
}

/** 04.11.2026 or 2026-11-04, in UTC. */
function dayOf(iso: string | null, language: Language): string | null {
  if (iso === null) return null;
  const day = iso.slice(0, 10);
  return language === 'ru' ? day.split('-').toReversed().join('.') : day;
}

function isTemplate(key: string): key is Template {
  return (TEMPLATES as readonly string[]).includes(key);
}

function isMessage(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && value.length <= 2_000;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
