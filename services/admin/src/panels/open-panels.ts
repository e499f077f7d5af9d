import Joi from 'joi';
import { parseJsonText } from '@kopeck/core/json';
import { threeXUiConfig, type ThreeXUiConfig } from './3x-ui/config.ts';
import { threeXUiPanel } from './3x-ui/panel.ts';
import { DEADLINES } from '../fetch-all.ts';
import { inBatches } from './batches.ts';
import { withBreaker } from './breaker.ts';
import { hiddifyConfig, type HiddifyConfig } from './hiddify/config.ts';
import { hiddifyPanel } from './hiddify/panel.ts';
import { limited } from './limiter.ts';
import { marzbanConfig, type MarzbanConfig } from './marzban/config.ts';
import { marzbanPanel } from './marzban/panel.ts';
import type { Panels, VpnPanel } from './port.ts';
import { remnawaveConfig, type RemnawaveConfig } from './remnawave/config.ts';
import { remnawavePanel } from './remnawave/panel.ts';
import { createSend, type Send } from './request.ts';
import { sandboxPanelConfig, type SandboxPanelConfig } from './sandbox/config.ts';
import { sandboxPanel } from './sandbox/panel.ts';

/** By `kind`: another panel is one more member here, one more schema and one more line below. */
export type PanelConfig =
  ThreeXUiConfig | MarzbanConfig | RemnawaveConfig | HiddifyConfig | SandboxPanelConfig;
export type PanelKind = PanelConfig['kind'];

const SCHEMAS = [
  threeXUiConfig,
  marzbanConfig,
  remnawaveConfig,
  hiddifyConfig,
  sandboxPanelConfig,
] as const;

type Open<K extends PanelKind> = (
  config: Extract<PanelConfig, { kind: K }>,
  send: Send,
  now: () => Date,
) => VpnPanel;

const OPEN: { readonly [K in PanelKind]: Open<K> } = {
  '3x-ui': threeXUiPanel,
  marzban: marzbanPanel,
  pasarguard: marzbanPanel,
  remnawave: remnawavePanel,
  hiddify: hiddifyPanel,
  sandbox: sandboxPanel,
};

/** Requests at once: 3x-ui's SQLite bears two, Marzban's pool of connections four. */
const CONCURRENCY: Readonly<Record<PanelKind, number>> = {
  '3x-ui': 2,
  marzban: 4,
  pasarguard: 4,
  remnawave: 8,
  hiddify: 2,
  sandbox: 8,
};
const PER_SECOND = 10;
/** Purchases at once where one request fetches many of them. */
const BATCHED = 50;

/** One server, with what keeps it from being asked too much or in vain. */
export function openPanel(
  config: PanelConfig,
  now: () => Date,
  answerMs = DEADLINES.answerMs,
): VpnPanel {
  const { kind, concurrency = CONCURRENCY[kind], perSecond = PER_SECOND } = config;
  const send = limited(createSend(config), { concurrency, perSecond, answerMs, now });
  const open = OPEN[kind] as Open<PanelKind>;
  const panel = inBatches(withBreaker(open(config, send, now), now));
  return { ...panel, concurrency: panel.capabilities.bulkFetch ? BATCHED : concurrency };
}

/** Text that is not JSON stays text, which no object is. */
export const json = Joi.extend((joi: Joi.Root) => ({
  type: 'json',
  base: joi.object(),
  coerce: {
    from: 'string',
    method: (text: string) => ({ value: parseJsonText(Buffer.from(text)) ?? text }),
  },
})) as { json: () => Joi.ObjectSchema };

export const SERVER_ID = /^[a-z0-9-]{1,32}$/;
export const panelConfig = Joi.alternatives().try(...SCHEMAS);

/** The servers by their id, as JSON text. No message quotes it: it holds credentials. */
export const panelsKey = json
  .json()
  .pattern(SERVER_ID, panelConfig)
  .prefs({ stripUnknown: false })
  .default({})
  .example('{"nl-1":{"kind":"marzban","url":"https://panel.example","token":"<its token>"}}')
  .messages({
    '*': 'JSON, by server id (a-z, 0-9, -): an object with kind, url and credentials: see docs/api/admin.md',
  });

type Secrets = Partial<Readonly<Record<'token' | 'password' | 'apiKey', string>>>;

/** All values of a configuration that no line of a log may show. */
export function secretsOfPanel(config: PanelConfig): readonly string[] {
  const { token, password, apiKey }: Secrets = config;
  return [token, password, apiKey].filter((secret) => secret !== undefined);
}

export function openPanels(
  servers: Readonly<Record<string, PanelConfig>>,
  now: () => Date,
): Panels {
  return new Map(Object.entries(servers).map(([id, config]) => [id, openPanel(config, now)]));
}
