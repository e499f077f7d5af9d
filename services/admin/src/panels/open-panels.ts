import Joi from 'joi';
import { parseJsonText } from '@kopeck/core/json';
import type { Panels, VpnPanel } from './port.ts';
import { sandboxPanelConfig, type SandboxPanelConfig } from './sandbox/config.ts';
import { sandboxPanel } from './sandbox/panel.ts';

/** By `kind`: another panel is one more member here, and one more line below. */
export type PanelConfig = SandboxPanelConfig;

const OPEN: {
  readonly [K in PanelConfig['kind']]: (config: Extract<PanelConfig, { kind: K }>) => VpnPanel;
} = { sandbox: sandboxPanel };

/** Text that is not JSON stays text, which no object is. */
const json = Joi.extend((joi: Joi.Root) => ({
  type: 'json',
  base: joi.object(),
  coerce: {
    from: 'string',
    method: (text: string) => ({ value: parseJsonText(Buffer.from(text)) ?? text }),
  },
})) as { json: () => Joi.ObjectSchema };

/** The servers by their id, as JSON text. No message quotes it: it holds tokens. */
export const panelsKey = json
  .json()
  .pattern(/^[a-z0-9-]{1,32}$/, Joi.alternatives().try(sandboxPanelConfig))
  .prefs({ stripUnknown: false })
  .default({})
  .messages({ '*': 'JSON, by server id (a-z, 0-9, -): an object with kind, url and token' });

export function openPanels(servers: Readonly<Record<string, PanelConfig>>): Panels {
  return new Map(Object.entries(servers).map(([id, config]) => [id, OPEN[config.kind](config)]));
}
