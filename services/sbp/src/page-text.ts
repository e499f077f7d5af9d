import type { OrderStatus } from './provider.ts';

/** What the payer's page says. Nothing of it comes from a shop. */
export interface PageText {
  readonly lang: 'ru' | 'en';
  readonly title: string;
  readonly how: string;
  readonly open: string;
  /** Over the banks, on a phone. */
  readonly choose: string;
  readonly image: string;
  readonly left: string;
  readonly back: string;
  readonly state: Readonly<Record<OrderStatus, string>>;
}

const RU: PageText = {
  lang: 'ru',
  title: 'Оплата через СБП',
  how: 'Отсканируйте код камерой телефона или приложением банка.',
  open: 'Открыть в приложении банка',
  choose: 'Выбрать банк',
  image: 'QR-код для оплаты',
  left: 'Осталось',
  back: 'Вернуться в магазин',
  state: {
    pending: 'Ждём оплату',
    paid: 'Оплачено. Спасибо!',
    failed: 'Оплата не прошла',
    expired: 'Время оплаты истекло',
    partially_refunded: 'Часть денег возвращена',
    refunded: 'Деньги возвращены',
  },
};

const EN: PageText = {
  lang: 'en',
  title: 'Pay by SBP',
  how: 'Scan the code with your phone’s camera or your bank’s app.',
  open: 'Open in my bank’s app',
  choose: 'Choose a bank',
  image: 'QR code to pay',
  left: 'Time left',
  back: 'Back to the shop',
  state: {
    pending: 'Waiting for the payment',
    paid: 'Paid. Thank you!',
    failed: 'The payment did not go through',
    expired: 'The time to pay is over',
    partially_refunded: 'A part of the money was returned',
    refunded: 'The money was returned',
  },
};

/** By what the browser prefers; Russian for those who say neither. */
export function textFor(acceptsLanguages: (...languages: string[]) => string | false): PageText {
  return acceptsLanguages('ru', 'en') === 'en' ? EN : RU;
}
