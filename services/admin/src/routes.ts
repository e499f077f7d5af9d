import type { RequestHandler, Router } from 'express';
import { createRouter, methods, pageHeaders } from '@kopeck/runtime/http-app';
import { authorise, type ApiKeys } from './authorise.ts';
import type { Lanes } from './bulk/lanes.ts';
import { addBulkRoutes } from './bulk/routes.ts';
import { health } from './health.ts';
import type { PerformDeps } from './perform-refresh.ts';
import { addPurchaseRoutes } from './purchases-api/routes.ts';
import { BOARD_PATH, fromOwnPage } from './queues/board.ts';
import { REISSUE_PATH, reissueConfigs } from './reissue-configs.ts';
import { addServerRoutes, type ServerDeps } from './servers/routes.ts';
import { subscriptionPage, type PageDeps } from './subscription-page.ts';
import { UPDATE_CONFIGS_PATH, updateConfigs } from './update-configs.ts';

export interface AdminDeps extends PerformDeps, PageDeps, ServerDeps {
  readonly apiKeys: ApiKeys;
  readonly lanes: Lanes;
  readonly streamMs: number;
  readonly receiverHealthUrls: readonly string[];
  /** Null: nobody may look at the queues. */
  readonly board: RequestHandler | null;
}

export function adminRoutes(deps: AdminDeps): Router {
  const router = createRouter();
  const { pool } = deps;
  const guard = authorise(deps);
  if (deps.board !== null) {
    const people = authorise({ ...deps, scheme: 'Basic' });
    router.use(BOARD_PATH, people, fromOwnPage, pageHeaders, deps.board);
  }
  router.all(UPDATE_CONFIGS_PATH, methods({ POST: [guard, updateConfigs(deps)] }));
  router.all(REISSUE_PATH, methods({ POST: [guard, ...reissueConfigs(deps)] }));
  addBulkRoutes(router, guard, deps);
  addPurchaseRoutes(router, guard, pool);
  addServerRoutes(router, guard, deps);
  router.get('/sub/:token', subscriptionPage(deps)); // and HEAD
  router.all('/health', methods({ GET: [health({ ...deps, urls: deps.receiverHealthUrls })] }));
  return router;
}
