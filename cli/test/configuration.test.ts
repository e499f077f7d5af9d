import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { GENERATED, SET_BY_COMPOSE } from '../src/configuration/deployment.ts';
import { allKeys } from '../src/configuration/keys.ts';
import { asDocument, asEnvExample } from '../src/configuration/print.ts';
import { SERVICES } from '../src/suite/services.ts';
import { ROOT } from '../src/suite/settings.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('.env.example is what the schemas say', () => {
  expect(read('.env.example'), 'npm run kopeck -- env-example > .env.example').toBe(asEnvExample());
});

test('docs/configuration.md is what the schemas say', () => {
  expect(read('docs/configuration.md'), 'npm run kopeck -- env-example --docs').toBe(asDocument());
});

test('every key that a service reads is documented, with a meaning', () => {
  const readKeys = new Set(SERVICES.flatMap(({ keys }) => keys));
  const documented = allKeys();
  expect([...readKeys].filter((key) => documented.every(({ name }) => name !== key))).toEqual([]);
  expect(documented.filter(({ meaning }) => meaning.length < 10)).toEqual([]);
});

test('no secret has a default, and the example holds no value of one', () => {
  const secrets = allKeys().filter(({ isSecret }) => isSecret);
  expect(secrets.length).toBeGreaterThan(30);
  // An empty set of VPN panels is no secret.
  const withDefault = secrets.filter(
    ({ name, fallback }) => name !== 'PANELS' && fallback !== null,
  );
  expect(withDefault).toEqual([]);
  const example = parseEnv(read('.env.example'));
  expect(secrets.filter(({ name }) => (example[name] ?? '') !== '')).toEqual([]);
});

test('what must be set stands in the example to be filled in', () => {
  const example = parseEnv(read('.env.example'));
  const needed = allKeys().filter(
    ({ name, isRequired }) => (isRequired || GENERATED.has(name)) && !SET_BY_COMPOSE.has(name),
  );
  expect(Object.keys(example).toSorted()).toEqual(needed.map(({ name }) => name).toSorted());
});

test('Compose hands every service each key that it reads, and no other', () => {
  const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, { environment: Record<string, unknown> }>;
  };
  for (const { name, keys } of SERVICES) {
    const given = Object.keys(services[name]?.environment ?? {}).filter((key) => key !== 'TZ');
    const choices = keys.filter((key) => !SET_BY_COMPOSE.has(key) && !key.endsWith('_PORT'));
    expect([...given].toSorted(), name).toEqual(expect.arrayContaining([...choices].toSorted()));
    expect(
      given.filter((key) => !keys.includes(key)),
      name,
    ).toEqual([]);
  }
});
