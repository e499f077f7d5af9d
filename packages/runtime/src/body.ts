import { hash, timingSafeEqual } from 'node:crypto';
import express from 'express';
import type { RequestHandler, Response } from 'express';
import { parseJsonText } from '@kopeck/core/json';
import { HttpError } from './http-app.ts';

/**
 * The bytes as they came, whatever their type, in `request.body`; an empty body is an empty Buffer.
 * Compressed bodies are refused: no partner sends them and a small one can unfold without end.
 */
export function rawBody(limitBytes: number): RequestHandler {
  const read = express.raw({ type: () => true, limit: limitBytes, inflate: false });
  return (request, response, next) => {
    read(request, response, (error?: unknown) => {
      if (error === undefined && !Buffer.isBuffer(request.body)) request.body = Buffer.alloc(0);
      next(error);
    });
  };
}

export interface JsonBodyOptions {
  readonly limitBytes?: number;
  /** The answers of an API that has its own words. */
  readonly wrongType?: HttpError;
  readonly notJson?: HttpError;
}

/** For our own APIs: `request.body` is what parseJsonText gives, so numbers are texts there. */
export function jsonBody({
  limitBytes = 65_536,
  wrongType,
  notJson,
}: JsonBodyOptions = {}): RequestHandler[] {
  return [
    (request, _response, next) => {
      const isJson = /^application\/json\s*(;|$)/i.test(request.get('content-type') ?? '');
      next(
        isJson ? undefined : (wrongType ?? new HttpError(415, { error: 'unsupported_media_type' })),
      );
    },
    rawBody(limitBytes),
    (request, _response, next) => {
      request.body = parseJsonText(request.body as Buffer);
      next(
        request.body === undefined
          ? (notJson ?? new HttpError(400, { error: 'malformed' }))
          : undefined,
      );
    },
  ];
}

/** Refuses a request without one of the tokens, in constant time; `refuse` writes the API's own 401. */
export function bearer(
  tokens: readonly string[],
  refuse: (response: Response) => void,
): RequestHandler {
  return (request, response, next) => {
    const [, given = ''] = /^Bearer (.+)$/i.exec(request.get('authorization') ?? '') ?? [];
    if (isOneOf(given, tokens)) return next();
    response.set('WWW-Authenticate', 'Bearer');
    refuse(response);
  };
}

/** Constant time over digests, so that neither length nor place of a difference shows. */
export function isOneOf(given: string, secrets: readonly string[]): boolean {
  const digest = digestOf(given);
  let found = false;
  for (const secret of digestsOf(secrets)) found = timingSafeEqual(digest, secret) || found;
  return found && given !== '';
}

/** In hex, because Node makes that three times as fast as bytes. */
function digestOf(text: string): Buffer {
  return Buffer.from(hash('sha256', text, 'hex'), 'latin1');
}

/** A list of the configuration is asked with every request and never changes. */
const known = new WeakMap<readonly string[], readonly Buffer[]>();

function digestsOf(secrets: readonly string[]): readonly Buffer[] {
  const digests = known.get(secrets) ?? secrets.map(digestOf);
  known.set(secrets, digests);
  return digests;
}
