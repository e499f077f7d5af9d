import Joi from 'joi';
import { secretList } from '@kopeck/runtime/config';

/** `name:secret,name:older-secret,other:secret` as the secrets of each name, the current one first. */
export type NamedSecrets = ReadonlyMap<string, readonly string[]>;

/** A list in the environment whose items begin with the name of a network. */
export function namedSecretList(what: string, secret: RegExp): Joi.ArraySchema {
  const item = new RegExp(`^[a-z][a-z0-9_-]{1,31}:${secret.source}$`);
  return secretList(what, Joi.string().pattern(item)).default([]);
}

export function namedSecrets(items: readonly string[]): NamedSecrets {
  const secrets = new Map<string, readonly string[]>();
  for (const item of items) {
    const colon = item.indexOf(':');
    const name = item.slice(0, colon);
    secrets.set(name, [...(secrets.get(name) ?? []), item.slice(colon + 1)]);
  }
  return secrets;
}
