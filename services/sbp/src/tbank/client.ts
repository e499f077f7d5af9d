import { textAt } from '@kopeck/core/json';
import { jsonNumber } from '@kopeck/core/json-number';
import { ProviderError, type ProviderFailure, type QrRequest } from '../provider.ts';
import type { ConnectProvider, ProviderAnswer } from '../provider-http.ts';
import { beginning, wordIn } from '../provider-answer.ts';
import { tokenOf } from './callback.ts';
import type { TbankTerminal } from './config.ts';

/** The calls of "Интернет-эквайринг", version 2, that are used. Each throws ProviderError. */
export interface TbankClient {
  readonly init: (request: QrRequest) => Promise<ProviderAnswer>;
  readonly getQr: (paymentId: string) => Promise<ProviderAnswer>;
  readonly getState: (paymentId: string) => Promise<ProviderAnswer>;
  readonly checkOrder: (attemptId: string) => Promise<ProviderAnswer>;
  /** Without an amount: all of it. */
  readonly cancel: (paymentId: string, kopecks: bigint | null) => Promise<ProviderAnswer>;
}

type Fields = Readonly<Record<string, string>>;

export function createTbankClient(
  { url, terminalKey, passwords: [password = ''] }: TbankTerminal,
  connect: ConnectProvider,
): TbankClient {
  const http = connect({ provider: 'tbank', baseUrl: url, headers: {} });

  /** Every field that is sent is signed; an amount is signed as it is written. */
  async function call(path: string, fields: Fields): Promise<ProviderAnswer> {
    const all = { TerminalKey: terminalKey, ...fields };
    const { Amount: amount } = fields;
    const written = amount === undefined ? all : { ...all, Amount: jsonNumber(amount) };
    const body = JSON.stringify({ ...written, Token: tokenOf(all, password) });
    return refuseErrors(await http({ method: 'POST', path: `/${path}`, body }));
  }

  return {
    init: ({ attemptId, kopecks, expiresAt, description, returnUrl }) =>
      call('Init', {
        Amount: String(kopecks),
        OrderId: attemptId,
        PayType: 'O',
        RedirectDueDate: moscowTime(expiresAt),
        ...(description !== null && { Description: beginning(description, 140) }),
        ...(returnUrl !== null && { SuccessURL: returnUrl, FailURL: returnUrl }),
      }),
    getQr: (paymentId) => call('GetQr', { PaymentId: paymentId, DataType: 'PAYLOAD' }),
    getState: (paymentId) => call('GetState', { PaymentId: paymentId }),
    checkOrder: (attemptId) => call('CheckOrder', { OrderId: attemptId }),
    cancel: (paymentId, kopecks) =>
      call('Cancel', {
        PaymentId: paymentId,
        ...(kopecks !== null && { Amount: String(kopecks) }),
      }),
  };
}

/** `ErrorCode` of answers that say no; any other is a refusal. */
const FAILURE: Readonly<Record<string, ProviderFailure>> = {
  '99': 'busy',
  '100': 'busy',
  '102': 'busy',
  '202': 'auth',
  '204': 'auth',
  '331': 'auth',
};

const ERROR_CODE = /^\d{1,6}$/;

/** Errors come with HTTP 200. A payment that was rejected has an error code too, and a state. */
function refuseErrors(answer: ProviderAnswer): ProviderAnswer {
  const code = textAt(answer.json, 'ErrorCode');
  const isWell = answer.json['Success'] === true && (code === null || code === '0');
  if (isWell || textAt(answer.json, 'Status') === 'REJECTED') return answer;
  const shown = ERROR_CODE.test(code ?? '') ? `error ${code}` : 'an error';
  throw new ProviderError(wordIn(FAILURE, code) ?? 'rejected', `tbank answered ${shown}`);
}

const MOSCOW_MS = 3 * 60 * 60 * 1000;

function moscowTime(date: Date): string {
  return `${new Date(date.getTime() + MOSCOW_MS).toISOString().slice(0, 19)}+03:00`;
}
