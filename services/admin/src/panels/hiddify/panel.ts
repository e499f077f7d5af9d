import { isRecord, parseJsonText, textAt } from '@kopeck/core/json';
import { linksIn, recordIn, snapshotOf, usageOf, type Fields } from '../answers.ts';
import { known, PanelError, type VpnPanel } from '../port.ts';
import type { Send } from '../request.ts';
import { createClient } from './client.ts';
import type { HiddifyConfig } from './config.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';

/**
 * `externalId` is the user's uuid, which is his address and his key as well: the panel cannot give him
 * another one, and so there is no `reissue`.
 */
export function hiddifyPanel(config: HiddifyConfig, send: Send): VpnPanel {
  const client = createClient(config, send);
  return {
    capabilities: { bulkFetch: false, revoke: 'none', stableLinks: true },
    async probe(signal) {
      await known(client.asAdmin(`admin/user/${NOBODY}/`, signal));
      return 'API v2';
    },
    async fetch({ externalId }, signal) {
      // First as the admin, who is told an unknown user from a wrong key.
      const path = `admin/user/${encodeURIComponent(externalId)}/`;
      const user = recordIn(await client.asAdmin(path, signal));
      const configs = parseJsonText(await client.asUser(externalId, 'user/all-configs/', signal));
      if (!Array.isArray(configs)) throw new PanelError('protocol');
      const links = configs.filter(isRecord).map(({ link }) => link);
      const usage = usageOf({
        usedBytes: gigabytesAt(user, 'current_usage_GB'),
        limitBytes: gigabytesAt(user, 'usage_limit_GB'),
      });
      return snapshotOf(linksIn(links), { usage, volatile: config.volatile ?? [] });
    },
  };
}

/** Gigabytes with decimals, of which no byte matters. */
function gigabytesAt(user: Fields, key: string): bigint | undefined {
  const gigabytes = Number(textAt(user, key) ?? NaN);
  return gigabytes > 0 ? BigInt(Math.round(gigabytes * 2 ** 30)) : undefined;
}
