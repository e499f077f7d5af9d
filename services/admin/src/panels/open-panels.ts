import Joi from 'joi';
import type { Panels, VpnPanel } from './port.ts';
import { sandboxPanelConfig, type SandboxPanelConfig } from './sandbox/config.ts';
import { sandboxPanel } from './sandbox/panel.ts';

/** By `kind`: another panel is one more member here, and one more line below. */
export type PanelConfig = SandboxPanelConfig;

const OPEN: {
  readonly [K in PanelConfig['kind']]: (config: Extract<PanelConfig, { kind: K }>) => VpnPanel;
} = { sandbox: sandboxPanel };

/** The servers by their id, as JSON text: Joi reads it. No message quotes it, because of the tokens. */
export const panelsKey = Joi.object()
  .pattern(/^[a-z0-9-]{1,32}$/, Joi.alternatives().try(sandboxPanelConfig))
  .default({})
  .messages({ '*': '{"de1":{"kind":"sandbox","url":"https://…","token":"…"}}, by server id' });

export function openPanels(servers: Readonly<Record<string, PanelConfig>>): Panels {
  return new Map(Object.entries(servers).map(([id, config]) => [id, OPEN[config.kind](config)]));
}
