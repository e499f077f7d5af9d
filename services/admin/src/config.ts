import Joi from 'joi';
import {
  databaseKeys,
  heartbeatKeys,
  port,
  receiverKeys,
  secretList,
  type HeartbeatConfig,
  type ReceiverConfig,
} from '@kopeck/runtime/config';
import { nextTime } from '@kopeck/runtime/work-queue';
import { panelsKey, secretsOfPanel, type PanelConfig } from './panels/open-panels.ts';
import { planServersKey, type PlanServers } from './subscriptions.ts';

export interface AdminConfig extends ReceiverConfig, HeartbeatConfig {
  readonly ADMIN_PORT: number;
  readonly ADMIN_METRICS_PORT: number;
  readonly ADMIN_API_KEY: string[];
  /** Empty: no server can be added while admin runs. */
  readonly ADMIN_ENCRYPTION_KEY: string[];
  /** Empty: no scheduled refresh. */
  readonly ADMIN_REFRESH_CRON: string;
  /** Missing: there is no page of the queues. */
  readonly QUEUES_REDIS_URL?: string;
  readonly QUEUES_WRITABLE: boolean;
  readonly DATABASE_URL: string;
  readonly PANELS: Readonly<Record<string, PanelConfig>>;
  /** Empty: no subscription makes a purchase. */
  readonly PLAN_SERVERS: PlanServers;
  /** 0: no client of a subscription address ever causes a refresh. */
  readonly SUB_REFRESH_MINUTES: number;
  /** Separated by commas. */
  readonly RECEIVER_HEALTH_URLS: string;
}

export const adminConfig = Joi.object<AdminConfig, true>({
  ...receiverKeys,
  ...databaseKeys,
  ...heartbeatKeys,
  ADMIN_PORT: port(8080),
  ADMIN_METRICS_PORT: port(9004, 'the port of /ready and /metrics'),
  ADMIN_API_KEY: secretList(
    'the keys of the admin API, which has no default: at least 32 characters each',
  ).required(),
  ADMIN_ENCRYPTION_KEY: secretList(
    'what credentials of servers are encrypted with in the database: at least 32 characters',
  ).default([]),
  ADMIN_REFRESH_CRON: Joi.string()
    .pattern(/^(\S+\s+){4,5}\S+$/)
    .custom((cron: string, { error }) =>
      nextTime(cron, new Date(0)) === null ? error('any.invalid') : cron,
    )
    .default('')
    .messages({
      '*': 'when all configs are refreshed, as five fields of cron in UTC: 0 4 * * *; empty: never',
    }),
  QUEUES_REDIS_URL: Joi.string()
    .uri({ scheme: ['redis', 'rediss'] })
    .messages({
      '*': 'a Redis user that may read all queues, for the page /admin/queues: redis://user:password@host:port/0; empty: no such page',
    }),
  QUEUES_WRITABLE: Joi.boolean().default(false).messages({
    '*': 'whether jobs may be removed and made again at /admin/queues: true or false',
  }),
  PANELS: panelsKey,
  PLAN_SERVERS: planServersKey,
  SUB_REFRESH_MINUTES: Joi.number().integer().min(0).max(43_200).default(60).messages({
    '*': 'the age in minutes from which links that a client asks for are read anew; 0: never',
  }),
  RECEIVER_HEALTH_URLS: Joi.string()
    .pattern(/^https?:\/\/[^\s,]+(,https?:\/\/[^\s,]+)*$/)
    .default('')
    .description('what admin asks before it says /health: http://sbp:9001/health and the like')
    .messages({ '*': 'http://sbp:9001/health and the like, separated by commas' }),
});

/** What is refused for want of configuration, for the operator to read. */
export function warningsOf({ PANELS, ADMIN_ENCRYPTION_KEY }: AdminConfig): readonly string[] {
  const noPanel = 'no panel is configured, and no config can be refreshed: set PANELS';
  const noKey = 'no server can be added while admin runs: set ADMIN_ENCRYPTION_KEY';
  return [
    ...(Object.keys(PANELS).length === 0 ? [noPanel] : []),
    ...(ADMIN_ENCRYPTION_KEY.length === 0 ? [noKey] : []),
  ];
}

/** What no line of the log may show. */
export function secretsOf(config: AdminConfig): readonly string[] {
  const { ADMIN_API_KEY, ADMIN_ENCRYPTION_KEY, PANELS, DATABASE_URL, QUEUES_REDIS_URL } = config;
  const tokens = Object.values(PANELS).flatMap(secretsOfPanel);
  return [
    ...ADMIN_API_KEY,
    ...ADMIN_ENCRYPTION_KEY,
    ...tokens,
    ...[DATABASE_URL, QUEUES_REDIS_URL]
      .filter((url) => url !== undefined)
      .map((url) => decodeURIComponent(new URL(url).password)),
  ];
}
