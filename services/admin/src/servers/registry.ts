import { parseJsonText } from '@kopeck/core/json';
import { openPanel, panelConfig, type PanelConfig } from '../panels/open-panels.ts';
import type { Capabilities, Panels, VpnPanel } from '../panels/port.ts';
import { loadServers, saveServer, type StoreDeps } from './store.ts';

export interface RegistryOptions extends StoreDeps {
  readonly configured: Readonly<Record<string, PanelConfig>>;
  /** See Deadlines. */
  readonly answerMs: number;
}

export interface ServerView {
  readonly id: string;
  readonly kind: string;
  readonly source: 'configuration' | 'database';
  readonly capabilities: Capabilities;
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
export function createRegistry({ configured, answerMs, ...deps }: RegistryOptions): Registry {
  const { now, log } = deps;
  const panels = new Map<string, VpnPanel>();
  const views = new Map<string, ServerView>();
  const texts = new Map<string, string>();
  for (const [id, config] of Object.entries(configured)) install(id, config, 'configuration');
  const isConfigured = (id: string): boolean => Object.hasOwn(configured, id);

  function install(id: string, config: PanelConfig, source: ServerView['source']): void {
    const panel = openPanel(config, now, answerMs);
    panels.set(id, panel);
    views.set(id, { id, kind: config.kind, source, capabilities: panel.capabilities });
  }

  /** A panel that has not changed keeps its session. */
  function open(id: string, text: string): void {
    const { value, error } = panelConfig.validate(parseJsonText(Buffer.from(text)));
    if (error !== undefined)
      return log.error('a server has a configuration of the past', { server: id });
    if (texts.get(id) === text) return;
    texts.set(id, text);
    install(id, value, 'database');
  }

  return {
    panels,
    isConfigured,
    list: () => [...views.values()],
    async put(id, config) {
      const text = JSON.stringify(config);
      const isNew = !texts.has(id);
      await saveServer(deps, { id, kind: config.kind, text });
      open(id, text);
      return isNew;
    },
    async load() {
      for (const { id, text } of await loadServers(deps)) if (!isConfigured(id)) open(id, text);
    },
  };
}
