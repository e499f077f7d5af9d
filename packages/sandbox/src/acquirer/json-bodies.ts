import express, { type RequestHandler } from 'express';
import { isRecord, parseJsonText } from '@kopeck/core/json';

export type Body = Record<string, unknown>;

/** Whatever came, as parseJsonText reads it: numbers are texts. No object is an empty one. */
export const jsonBodies: readonly RequestHandler[] = [
  express.raw({ type: () => true, limit: '64kb' }),
  (request, _response, next) => {
    const json = Buffer.isBuffer(request.body) ? parseJsonText(request.body) : null;
    request.body = isRecord(json) ? json : {};
    next();
  },
];
