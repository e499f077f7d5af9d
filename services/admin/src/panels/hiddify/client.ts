import { bodyOf, type Send } from '../request.ts';
import type { HiddifyConfig } from './config.ts';

export interface Client {
  readonly asAdmin: (path: string, signal: AbortSignal) => Promise<Buffer>;
  /** As the user himself, whose uuid is his key. */
  readonly asUser: (uuid: string, path: string, signal: AbortSignal) => Promise<Buffer>;
}

export function createClient(config: HiddifyConfig, send: Send): Client {
  const { url, adminPath, clientPath, token } = config;
  const get = async (secretPath: string, path: string, key: string, signal: AbortSignal) => {
    const headers = { 'Hiddify-API-Key': key, Accept: 'application/json' };
    return bodyOf(await send({ url: `${url}/${secretPath}/api/v2/${path}`, headers, signal }));
  };
  return {
    asAdmin: (path, signal) => get(adminPath, path, token, signal),
    asUser: (uuid, path, signal) => get(clientPath, path, uuid, signal),
  };
}
