import type { SbpConfig } from './config.ts';
import { PROVIDERS, type ProviderCode, type SbpProvider } from './provider.ts';
import { merchantOf } from './raiffeisen/config.ts';
import { openRaiffeisen } from './raiffeisen/provider.ts';

/** Those with credentials. A provider that is no longer the default still hears its late callbacks. */
export type Providers = Readonly<Partial<Record<ProviderCode, SbpProvider>>>;

const TIMEOUT_MS = 15_000;

type Open = (config: SbpConfig, timeoutMs: number) => SbpProvider | null;

const OPEN: Readonly<Record<ProviderCode, Open>> = {
  raiffeisen: (config, timeoutMs) => {
    const merchant = merchantOf(config);
    return merchant === null ? null : openRaiffeisen(merchant, timeoutMs);
  },
};

export function openProviders(config: SbpConfig, timeoutMs = TIMEOUT_MS): Providers {
  const providers: Partial<Record<ProviderCode, SbpProvider>> = {};
  for (const code of PROVIDERS) {
    const provider = OPEN[code](config, timeoutMs);
    if (provider !== null) providers[code] = provider;
  }
  return providers;
}
