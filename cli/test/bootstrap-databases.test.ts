import { expect, test } from 'vitest';
import { ensureDatabases, type Machine } from '../bootstrap/databases.mjs';

const EVERYTHING = ['mariadbd', 'mariadb-install-db', 'mariadb', 'redis-server'];
const APT_INSTALL =
  'env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -o DPkg::Lock::Timeout=120';
const PACKAGES = 'mariadb-server-core mariadb-client-core redis-tools';

interface Situation {
  readonly commands: readonly string[];
  readonly missing?: readonly string[];
  readonly isRoot?: boolean;
  readonly sudoAsksForPassword?: boolean;
  /** Packages that apt knows from the start. */
  readonly known?: readonly string[];
  /** Packages that apt knows after an update. */
  readonly published?: readonly string[];
  /** What is still missing after an installation that succeeded. */
  readonly left?: readonly string[];
}

/** A machine that remembers what was run on it, and believes its package manager. */
function machine(situation: Situation): Machine & { readonly log: string[] } {
  const { commands, isRoot = false, left = [], published = PACKAGES.split(' ') } = situation;
  let missing = situation.missing ?? EVERYTHING;
  let known = situation.known ?? published;
  const log: string[] = [];

  return {
    log,
    find: () => ({ missing }),
    has: (command) => commands.includes(command),
    isRoot,
    run: async (command, args) => {
      log.push([command, ...args].join(' '));
      if (args.includes('update')) known = published;
      if (args.includes('install')) missing = left;
      return 0;
    },
    ask: (command, args) => {
      if (command === 'sudo') return situation.sudoAsksForPassword === true ? '' : 'yes\n';
      const isKnown = known.includes(args.at(-1) ?? '');
      return `x:\n  Installed: (none)\n  Candidate: ${isKnown ? '1:10.11.14' : '(none)'}\n`;
    },
    say: (text) => log.push(text),
  };
}

test('does nothing where the binaries are there', async () => {
  const there = machine({ commands: ['apt-get'], missing: [] });
  await ensureDatabases(there);
  expect(there.log).toEqual([]);
});

test('installs with apt-get as root, and says so first', async () => {
  const debian = machine({ commands: ['apt-get'], isRoot: true });
  await ensureDatabases(debian);
  expect(debian.log).toEqual([
    expect.stringContaining('Not found: mariadbd, mariadb-install-db, mariadb, redis-server.'),
    expect.stringContaining('no system service is started or enabled'),
    `${APT_INSTALL} install -y --no-install-recommends ${PACKAGES}`,
  ]);
});

test('installs with sudo where it asks for no password', async () => {
  const debian = machine({ commands: ['apt-get', 'sudo'] });
  await ensureDatabases(debian);
  expect(debian.log.at(-1)).toMatch(/^sudo -n env .* install -y/);
});

test('installs only what is missing', async () => {
  const debian = machine({ commands: ['apt-get'], isRoot: true, missing: ['redis-server'] });
  await ensureDatabases(debian);
  expect(debian.log.at(-1)).toMatch(/--no-install-recommends redis-tools$/);
});

test('updates the lists of apt first where they are empty', async () => {
  const container = machine({ commands: ['apt-get'], isRoot: true, known: [] });
  await ensureDatabases(container);
  expect(container.log.slice(2)).toEqual([
    `${APT_INSTALL} update`,
    `${APT_INSTALL} install -y --no-install-recommends ${PACKAGES}`,
  ]);
});

test('says so where apt has no such package', async () => {
  const old = machine({ commands: ['apt-get'], isRoot: true, published: ['redis-tools'] });
  await expect(ensureDatabases(old)).rejects.toThrow(
    /no package mariadb-server-core\. Please install MariaDB \(10\.11 or newer\)/,
  );
});

test.each([
  { why: 'without sudo', commands: ['apt-get'] },
  { why: 'with a sudo that asks', commands: ['apt-get', 'sudo'], sudoAsksForPassword: true },
])('gives the command to run, and runs nothing, $why', async (situation) => {
  const debian = machine(situation);
  await expect(ensureDatabases(debian)).rejects.toThrow(
    `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${PACKAGES}`,
  );
  expect(debian.log).toEqual([]);
});

test('installs with brew', async () => {
  const mac = machine({ commands: ['brew'] });
  await ensureDatabases(mac);
  expect(mac.log.at(-1)).toBe('brew install mariadb redis');
});

test('says what to install where there is neither', async () => {
  await expect(ensureDatabases(machine({ commands: [] }))).rejects.toThrow(
    'Please install MariaDB (10.11 or newer) and Redis (7 or newer) so that these are in the PATH: ' +
      'mariadbd, mariadb-install-db, mariadb, redis-server.',
  );
});

test('does not believe a package manager that has not brought everything', async () => {
  const odd = machine({ commands: ['brew'], left: ['redis-server'] });
  await expect(ensureDatabases(odd)).rejects.toThrow('in the PATH: redis-server.');
});
