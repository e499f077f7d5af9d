interface Bank {
  /** Its number as a member of SBP, which is also what its app answers to. */
  readonly member: string;
  readonly ru: string;
  readonly en: string;
}

/** Whose apps most payers have. NSPK's own list is longer; the plain link opens any of them. */
const BANKS: readonly Bank[] = [
  { member: '100000000111', ru: 'Сбербанк', en: 'Sberbank' },
  { member: '100000000004', ru: 'Т-Банк', en: 'T-Bank' },
  { member: '110000000005', ru: 'ВТБ', en: 'VTB' },
  { member: '100000000008', ru: 'Альфа-Банк', en: 'Alfa-Bank' },
  { member: '100000000001', ru: 'Газпромбанк', en: 'Gazprombank' },
  { member: '100000000007', ru: 'Райффайзен Банк', en: 'Raiffeisenbank' },
  { member: '100000000013', ru: 'Совкомбанк', en: 'Sovcombank' },
  { member: '100000000273', ru: 'Озон Банк', en: 'Ozon Bank' },
];

export interface BankLink {
  readonly name: string;
  readonly href: string;
}

/** Links that open one bank's app: `bank100000000111://qr.nspk.ru/…`. None for a provider's own page. */
export function bankLinks(link: string, lang: 'ru' | 'en'): readonly BankLink[] {
  if (!link.startsWith('https://qr.nspk.ru/')) return [];
  const rest = link.slice('https://'.length);
  return BANKS.map(({ member, ...names }) => ({
    name: names[lang],
    href: `bank${member}://${rest}`,
  }));
}
