import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type Joi from 'joi';
import { ConfigError } from '@kopeck/runtime/config';
import { namedSecrets } from './named-secrets.ts';
import {
  mappingFile,
  networkOf,
  type ConfiguredNetwork,
  type MappingFile,
} from './network/config.ts';

export interface NetworksConfig {
  /** A folder of mapping files. */
  readonly AFFILIATE_NETWORKS_DIR?: string;
  /** The same as text: a list of mappings in JSON. */
  readonly AFFILIATE_NETWORKS?: string;
  readonly AFFILIATE_TOKENS: string[];
  readonly EPN_DEFAULT_CURRENCY: string;
}

interface Candidate {
  /** Where it was written, for the operator. */
  readonly where: string;
  readonly value: unknown;
}

/** Reads and checks every mapping. Throws ConfigError, which names all mistakes and quotes nothing. */
export function loadNetworks(config: NetworksConfig): readonly ConfiguredNetwork[] {
  const mistakes: string[] = [];
  const files = new Map<string, MappingFile>();
  for (const { where, value } of [...fromFolder(config), ...fromText(config)]) {
    const { value: file, error } = mappingFile.validate(value, { abortEarly: false });
    if (error !== undefined) {
      const words = new Set(error.details.map(wordsFor));
      mistakes.push(...[...words].map((word) => `${where}: ${word}`));
    } else if (files.has(file.partner)) mistakes.push(`${where}: ${file.partner} is there twice`);
    else files.set(file.partner, file);
  }

  const tokens = namedSecrets(config.AFFILIATE_TOKENS);
  for (const name of tokens.keys()) {
    if (!files.has(name)) mistakes.push(`AFFILIATE_TOKENS: there is no mapping of ${name}`);
  }
  if (mistakes.length > 0) {
    throw new ConfigError(`Please mend the affiliate networks:\n  ${mistakes.join('\n  ')}`);
  }
  const { EPN_DEFAULT_CURRENCY: defaultCurrency } = config;
  return [...files.values()].map((file) =>
    networkOf(file, { tokens: tokens.get(file.partner) ?? [], defaultCurrency }),
  );
}

/** For a rule without words of its own: Joi's quote what was given. */
function wordsFor({ type, path, message }: Joi.ValidationErrorItem): string {
  if (path.length === 0 && type !== 'identity') return 'an object of JSON is expected';
  if (path.length === 1 && type === 'object.unknown') return 'there is a key that means nothing';
  return message;
}

function fromFolder({ AFFILIATE_NETWORKS_DIR: dir }: NetworksConfig): readonly Candidate[] {
  if (dir === undefined) return [];
  return namesIn(dir).map((name) => ({ where: name, value: parsed(read(join(dir, name)), name) }));
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.json'))
      .toSorted((a, b) => (a < b ? -1 : 1));
  } catch {
    throw new ConfigError('Please set AFFILIATE_NETWORKS_DIR to a folder that can be read');
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new ConfigError(`Please make ${basename(path)} readable`);
  }
}

function fromText({ AFFILIATE_NETWORKS: text }: NetworksConfig): readonly Candidate[] {
  if (text === undefined) return [];
  const where = 'AFFILIATE_NETWORKS';
  const list = parsed(text, where);
  return (Array.isArray(list) ? list : [list]).map((value: unknown) => ({ where, value }));
}

/** What is no JSON fails the check as a whole: it is no object. */
function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return `${where} is no JSON`;
  }
}
