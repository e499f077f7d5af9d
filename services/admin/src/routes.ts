import type { Router } from 'express';
import { createRouter, methods } from '@kopeck/runtime/http-app';
import { authorise, type ApiKeys } from './authorise.ts';
import type { Lanes } from './bulk/lanes.ts';
import { addBulkRoutes } from './bulk/routes.ts';
import { health } from './health.ts';
import type { PerformDeps } from './perform-refresh.ts';
import { UPDATE_CONFIGS_PATH, updateConfigs } from './update-configs.ts';

export interface AdminDeps extends PerformDeps {
  readonly apiKeys: ApiKeys;
  readonly lanes: Lanes;
  readonly receiverHealthUrls: readonly string[];
}

export function adminRoutes(deps: AdminDeps): Router {
  const router = createRouter();
  const guard = authorise(deps);
  router.all(UPDATE_CONFIGS_PATH, methods({ POST: [guard, updateConfigs(deps)] }));
  addBulkRoutes(router, guard, deps);
  router.all('/health', methods({ GET: [health({ ...deps, urls: deps.receiverHealthUrls })] }));
  return router;
}
