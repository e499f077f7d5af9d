import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { HttpError } from '@kopeck/runtime/http-app';
import { JournalUnavailable } from '@kopeck/runtime/journal';
import type { Log } from '@kopeck/runtime/log';
import { isAway } from './sql.ts';

/** Every error of the shops' API has this shape; shops compare the texts. */
export interface ApiFailure {
  readonly success: false;
  readonly error: string;
}

export function apiFailure(error: string): ApiFailure {
  return { success: false, error };
}

export function apiError(
  status: number,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): HttpError {
  return new HttpError(status, apiFailure(error), headers);
}

export const WRONG_TYPE = apiError(400, 'Content-Type must be application/json');
export const NOT_JSON = apiError(400, 'Invalid JSON');
export const NOT_FOUND = apiError(404, 'Order not found');

export function unauthorized(response: Response): void {
  response.status(401).json(apiFailure('Unauthorized'));
}

/** Answers every verb that the table before it did not take. */
export function otherMethods(allowed: string): RequestHandler {
  return (_request, response) => {
    response.status(405).set('Allow', allowed).json(apiFailure('Method not allowed'));
  };
}

export const noSuchPath: RequestHandler = (_request, response) => {
  response.status(404).json(apiFailure('Not found'));
};

/** What Express's own parsers find. */
const WORDS: Readonly<Record<number, string>> = {
  413: 'Request body too large',
  415: 'Content-Encoding is not supported',
};

interface ParserError {
  readonly expose?: boolean;
  readonly status?: number;
}

/** Where the API's errors become answers. A fault of ours is a 503: the shop may come again. */
export function apiErrors(log: Log): ErrorRequestHandler {
  return (error: Error & ParserError, _request, response, _next) => {
    if (error instanceof HttpError) {
      response.status(error.status).set(error.headers).json(error.body);
      return;
    }
    if (error instanceof URIError || (error.expose === true && (error.status ?? 500) < 500)) {
      const status = error.status ?? 400;
      response.status(status).json(apiFailure(WORDS[status] ?? 'Bad request'));
      return;
    }
    const isExpected = isAway(error) || error instanceof JournalUnavailable;
    log[isExpected ? 'warn' : 'error']('request failed', { error });
    response
      .status(503)
      .set('Retry-After', '30')
      .json(apiFailure('Service temporarily unavailable'));
  };
}
