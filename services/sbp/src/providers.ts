import Joi from 'joi';
import type { Incidents } from '@kopeck/runtime/incidents';
import type { BreakerOptions } from './breaker.ts';
import { createBreaker } from './breaker.ts';
import type { ProviderModule } from './provider-module.ts';
import type { ProviderCode, SbpProvider } from './provider.ts';
import { createProviderHttp, type ConnectProvider } from './provider-http.ts';

/** Every provider there is; a new one is a folder and a line here. */
const MODULES = {
  raiffeisen: (await import('./raiffeisen/provider.ts')).raiffeisen,
  tbank: (await import('./tbank/provider.ts')).tbank,
  yookassa: (await import('./yookassa/provider.ts')).yookassa,
  tochka: (await import('./tochka/provider.ts')).tochka,
  bridge: (await import('./bridge/provider.ts')).bridge,
};

export const PROVIDERS: readonly ProviderCode[] = Object.keys(MODULES);

type ConfigOf<M> = M extends ProviderModule<infer C> ? C : never;
type Both<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer A) => void
  ? A
  : never;

/** The keys of all providers together. */
export type ProvidersConfig = Both<ConfigOf<(typeof MODULES)[keyof typeof MODULES]>>;

/** A module with its configuration taken for granted: each reads only keys of its own. */
const ALL = Object.entries(MODULES) as unknown as readonly (readonly [
  ProviderCode,
  ProviderModule<ProvidersConfig>,
])[];

export const providerKeys: Joi.SchemaMap = Object.assign(
  {},
  ...ALL.map(([, { keys }]) => keys),
) as Joi.SchemaMap;

/** Those with credentials. A provider that is no longer the default still hears its late callbacks. */
export type Providers = Readonly<Partial<Record<ProviderCode, SbpProvider>>>;

export interface OpenProvidersOptions {
  readonly now: () => Date;
  readonly timeoutMs?: number;
  readonly extraCa?: string | undefined;
  /** One is open for each provider that is left alone for its failures. */
  readonly incidents: Incidents;
}

const TIMEOUT_MS = 15_000;

export function openProviders(config: ProvidersConfig, options: OpenProvidersOptions): Providers {
  const { now, incidents } = options;
  const providers: Record<ProviderCode, SbpProvider> = Object.create(null) as Record<
    ProviderCode,
    SbpProvider
  >;
  for (const [code, module] of ALL) {
    const changed = (isAway: boolean): void => tell(code, isAway, incidents);
    const connect = connectWith(options, { now, changed });
    const provider = module.open(config, connect, now);
    if (provider !== null) providers[code] = provider;
  }
  return providers;
}

function tell(provider: ProviderCode, isAway: boolean, incidents: Incidents): void {
  if (isAway) incidents.open(`sbp-provider-away:${provider}`, { provider });
  else incidents.close(`sbp-provider-away:${provider}`);
}

/** Every provider as a reader of answers that were kept: the credentials are nobody's. */
export function openReaders(connect: ConnectProvider): Providers {
  const nobodys = Object.fromEntries(
    Object.entries(providerKeys).map(([key, schema]) => [key, isList(schema) ? ['-'] : '-']),
  ) as unknown as ProvidersConfig;
  return Object.fromEntries(
    ALL.flatMap(([code, { open }]) => {
      const provider = open(nobodys, connect, () => new Date(0));
      return provider === null ? [] : [[code, provider]];
    }),
  );
}

function isList(schema: Joi.SchemaMap[string]): boolean {
  return Joi.isSchema(schema) && schema.type === 'list';
}

/** One breaker for all addresses of a provider. */
function connectWith(
  { timeoutMs = TIMEOUT_MS, extraCa }: OpenProvidersOptions,
  breakerOptions: BreakerOptions,
): ConnectProvider {
  const breaker = createBreaker(breakerOptions);
  const common = { timeoutMs, breaker, ...(extraCa !== undefined && { extraCa }) };
  return (options) => createProviderHttp({ ...options, ...common });
}

/** How a provider is configured, when it is not. */
export function credentialsOf(provider: ProviderCode): string {
  return ALL.find(([code]) => code === provider)?.[1].credentials ?? '';
}

export function isConfigured(config: ProvidersConfig, provider: ProviderCode): boolean {
  const nobody: ConnectProvider = () => () => Promise.reject(new Error('not connected'));
  const [, module] = ALL.find(([code]) => code === provider) ?? [];
  return module !== undefined && module.open(config, nobody, () => new Date(0)) !== null;
}

export function providerSecrets(config: ProvidersConfig): readonly string[] {
  return ALL.flatMap(([, { secrets }]) => secrets(config));
}
