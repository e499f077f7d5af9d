import type { Pool, RowDataPacket } from 'mysql2/promise';
import { parseJsonText } from '@kopeck/core/json';
import type { Log } from '@kopeck/runtime/log';
import { openPanel, panelConfig, type PanelConfig } from '../panels/open-panels.ts';
import type { Panels, VpnPanel } from '../panels/port.ts';
import { seal, unseal } from './seal.ts';

export interface RegistryOptions {
  readonly configured: Readonly<Record<string, PanelConfig>>;
  readonly pool: Pool;
  /** None: servers come from the configuration alone. */
  readonly keys: readonly string[];
  readonly now: () => Date;
  readonly log: Log;
}

export interface ServerView {
  readonly id: string;
  readonly kind: string;
  readonly source: 'configuration' | 'database';
}

export interface Registry {
  /** Grows and changes while the service runs. */
  readonly panels: Panels;
  readonly list: () => readonly ServerView[];
  readonly isConfigured: (id: string) => boolean;
  /** True: new; false: another configuration for a known one. */
  readonly put: (id: string, config: PanelConfig) => Promise<boolean>;
  /** Reads what other copies of the service have added. */
  readonly load: () => Promise<void>;
}

/** The servers of the configuration, which win, and those that operators have added. */
export function createRegistry({ configured, pool, keys, now, log }: RegistryOptions): Registry {
  const panels = new Map<string, VpnPanel>();
  const views = new Map<string, ServerView>();
  const texts = new Map<string, string>();
  for (const [id, config] of Object.entries(configured)) {
    panels.set(id, openPanel(config, now));
    views.set(id, { id, kind: config.kind, source: 'configuration' });
  }
  const isConfigured = (id: string): boolean => Object.hasOwn(configured, id);

  /** A panel that has not changed keeps its session. */
  function open(id: string, text: string): void {
    const { value, error } = panelConfig.validate(parseJsonText(Buffer.from(text)));
    if (error !== undefined)
      return log.error('a server has a configuration of the past', { server: id });
    if (texts.get(id) === text) return;
    texts.set(id, text);
    panels.set(id, openPanel(value, now));
    views.set(id, { id, kind: value.kind, source: 'database' });
  }

  return {
    panels,
    isConfigured,
    list: () => [...views.values()],
    async put(id, config) {
      const text = JSON.stringify(config);
      const isNew = !texts.has(id);
      await pool.query(
        `INSERT INTO panel_servers (id, kind, sealed, updated_at) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE kind = VALUES(kind), sealed = VALUES(sealed), updated_at = VALUES(updated_at)`,
        [id, config.kind, seal(text, id, keys), now()],
      );
      open(id, text);
      return isNew;
    },
    async load() {
      if (keys.length === 0) return;
      const [rows] = await pool.query<RowDataPacket[]>('SELECT id, sealed FROM panel_servers');
      for (const row of rows) {
        const id = String(row['id']);
        if (isConfigured(id)) continue;
        const text = unseal(row['sealed'] as Buffer, id, keys);
        if (text === null)
          log.error('the credentials of a server cannot be read with this key', { server: id });
        else open(id, text);
      }
    },
  };
}
