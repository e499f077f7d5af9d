import type Joi from 'joi';
import type { SbpProvider } from './provider.ts';
import type { ConnectProvider } from './provider-http.ts';

/** What a provider's folder gives to the service: all it takes is a line in providers.ts. */
export interface ProviderModule<C> {
  /** Its keys of the environment. None of them is required: a provider may be left out. */
  readonly keys: Readonly<Record<keyof C, Joi.Schema>>;
  /** Which of them it needs, for the operator to read. */
  readonly credentials: string;
  /** What no line of the log may show. */
  readonly secrets: (config: C) => readonly string[];
  /** Null: no credentials are configured, so nothing can be asked nor believed. */
  readonly open: (config: C, connect: ConnectProvider, now: () => Date) => SbpProvider | null;
}
