import type { RequestHandler, Router } from 'express';
import { bearer, jsonBody, rawBody } from '@kopeck/runtime/body';
import { createRouter, HttpError, methods } from '@kopeck/runtime/http-app';
import type { ReceiverDeps } from '@kopeck/runtime/receiver';
import {
  apiErrors,
  noSuchPath,
  NOT_JSON,
  otherMethods,
  unauthorized,
  WRONG_TYPE,
} from './api-errors.ts';
import { getHealth, getStatus, postPayment } from './api.ts';
import type { Attempts } from './attempts.ts';
import type { SbpConfig } from './config.ts';
import type { Looks } from './looks.ts';
import type { Providers } from './providers.ts';
import { postCallback } from './webhook.ts';

export type SbpDeps = Pick<ReceiverDeps, 'append' | 'log' | 'metrics' | 'now'> & {
  readonly config: SbpConfig;
  readonly attempts: Attempts;
  readonly looks: Looks;
  readonly providers: Providers;
  readonly wake: () => void;
};

const LIMIT_BYTES = 65_536;

export function sbpRoutes(deps: SbpDeps): Router {
  const { config, attempts, providers, log, now } = deps;
  const provider = providers[config.SBP_PROVIDER];
  const ttlMs = config.SBP_TTL_MINUTES * 60_000;
  const auth = bearer(config.WEBHOOK_API_TOKEN, unauthorized);
  const json = jsonBody({ limitBytes: LIMIT_BYTES, wrongType: WRONG_TYPE, notJson: NOT_JSON });

  const router = createRouter();
  router
    .route('/api/payment')
    .post(auth, ...json, postPayment({ ...deps, provider, ttlMs }))
    .all(otherMethods('POST'));
  router.route('/api/status/:orderId').get(auth, getStatus(attempts, now)).all(otherMethods('GET'));
  router.route('/api/health').get(getHealth(now)).all(otherMethods('GET'));
  router.use('/api', noSuchPath, apiErrors(log));

  const callback = [jsonOnly, rawBody(LIMIT_BYTES), postCallback(deps) as RequestHandler];
  router.all('/webhook/sbp/:provider', methods({ POST: callback }));
  return router;
}

const jsonOnly: RequestHandler = (request, _response, next) => {
  const isJson = /^application\/json\s*(;|$)/i.test(request.get('content-type') ?? '');
  next(isJson ? undefined : new HttpError(415, { error: 'unsupported_media_type' }));
};
