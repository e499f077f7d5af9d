import type { Router } from 'express';
import { createRouter, methods } from '@kopeck/runtime/http-app';
import { health } from './health.ts';
import { UPDATE_CONFIGS_PATH, updateConfigs, type UpdateConfigsDeps } from './update-configs.ts';

export interface AdminDeps extends UpdateConfigsDeps {
  readonly receiverHealthUrls: readonly string[];
}

export function adminRoutes(deps: AdminDeps): Router {
  const router = createRouter();
  router.all(UPDATE_CONFIGS_PATH, methods({ POST: updateConfigs(deps) }));
  router.all('/health', methods({ GET: [health({ ...deps, urls: deps.receiverHealthUrls })] }));
  return router;
}
