import type { RequestHandler, Router } from 'express';
import { bearer, jsonBody, rawBody } from '@kopeck/runtime/body';
import { createRouter, methods, pageHeaders } from '@kopeck/runtime/http-app';
import {
  apiErrors,
  noSuchPath,
  NOT_JSON,
  otherMethods,
  unauthorized,
  WRONG_TYPE,
} from './api-errors.ts';
import { postCancel, postRefund } from './api-refund.ts';
import { getHealth, getStatus, postPayment } from './api.ts';
import type { SbpConfig } from './config.ts';
import type { LookDeps } from './look.ts';
import { getPage, getPicture, type PageDeps } from './page.ts';
import { getPageEvents, type StreamPace } from './page-events.ts';
import { postCallback } from './webhook.ts';

export type SbpDeps = LookDeps & {
  readonly config: SbpConfig;
  readonly wake: () => void;
  /** Told of each callback that proved nothing. */
  readonly forged?: (source: string) => void;
  /** Missing: as payers have it. */
  readonly streamPace?: StreamPace;
};

const LIMIT_BYTES = 65_536;

export function sbpRoutes(deps: SbpDeps): Router {
  const { config, log, now } = deps;
  const auth = bearer(config.WEBHOOK_API_TOKEN, unauthorized);
  const json = jsonBody({ limitBytes: LIMIT_BYTES, wrongType: WRONG_TYPE, notJson: NOT_JSON });

  const router = createRouter();
  router
    .route('/api/payment')
    .post(auth, ...json, postPayment(deps))
    .all(otherMethods('POST'));
  router
    .route('/api/payment/:orderId/refund')
    .post(auth, ...json, postRefund(deps))
    .all(otherMethods('POST'));
  router
    .route('/api/payment/:orderId/cancel')
    .post(auth, postCancel(deps))
    .all(otherMethods('POST'));
  router.route('/api/status/:orderId').get(auth, getStatus(deps)).all(otherMethods('GET'));
  router.route('/api/health').get(getHealth(now)).all(otherMethods('GET'));
  router.use('/api', noSuchPath, apiErrors(log));

  const pages: PageDeps = deps;
  router.all('/pay/:token', methods({ GET: [pageHeaders, getPage(pages) as RequestHandler] }));
  router.all('/pay/:token/qr.png', methods({ GET: [getPicture(pages) as RequestHandler] }));
  const stream = getPageEvents(pages, deps.streamPace) as RequestHandler;
  router.all('/pay/:token/events', methods({ GET: [stream] }));

  const callback = [rawBody(LIMIT_BYTES), postCallback(deps) as RequestHandler];
  router.all('/webhook/sbp/:provider', methods({ POST: callback }));
  return router;
}
