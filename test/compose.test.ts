import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { SET_BY_COMPOSE } from '../cli/src/configuration/deployment.ts';
import { SERVICES } from '../cli/src/suite/services.ts';

interface ComposeFile {
  readonly services: Readonly<
    Record<string, { readonly environment?: Readonly<Record<string, string | null>> }>
  >;
}

const { services } = parse(
  readFileSync(join(import.meta.dirname, '..', 'docker-compose.yml'), 'utf8'),
  { merge: true },
) as ComposeFile;
const NOT_OURS = ['TZ'];
/** .env names a folder of the host; the service sees it where it is mounted. */
const MOUNTED = ['AFFILIATE_NETWORKS_DIR'];

test.for(SERVICES)('$name is given every key that it reads, and nothing else', ({ name, keys }) => {
  const given = Object.keys(services[name]?.environment ?? {}).filter(
    (key) => !NOT_OURS.includes(key),
  );
  const wanted = keys.filter((key) => !SET_BY_COMPOSE.has(key) && !key.endsWith('_PORT'));
  expect(given.filter((key) => !keys.includes(key))).toEqual([]);
  expect(wanted.filter((key) => !given.includes(key))).toEqual([]);
});

test('a key that .env decides has the same name there, and no value of its own in the file', () => {
  for (const { name } of SERVICES) {
    const environment = Object.entries(services[name]?.environment ?? {});
    const fixed = environment.filter(([key, value]) => value !== null && !SET_BY_COMPOSE.has(key));
    const filled = fixed.filter(([, value]) => value !== null && !value.includes('${'));
    const known = [...NOT_OURS, ...MOUNTED];
    expect(filled.map(([key]) => key).filter((key) => !known.includes(key))).toEqual([]);
  }
});
