import { spawnSync } from 'node:child_process';
import { findBinaries } from '../../packages/testing/src/find-binaries.mjs';
import { Advice, say } from './advice.mjs';
import { pathWithoutTools, run } from './run.mjs';

/** These Debian packages hold the programs alone: no system service comes with them. */
const APT_PACKAGES = {
  mariadbd: 'mariadb-server-core',
  'mariadb-install-db': 'mariadb-server-core',
  mariadb: 'mariadb-client-core',
  'redis-server': 'redis-tools',
};

const BREW_PACKAGES = {
  mariadbd: 'mariadb',
  'mariadb-install-db': 'mariadb',
  mariadb: 'mariadb',
  'redis-server': 'redis',
};

/** Apt asks nothing, and waits its turn if the machine is just updating itself. */
const APT_ENV = ['DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_SUSPEND=1'];
const APT_OPTIONS = ['-q', '-o', 'DPkg::Lock::Timeout=120'];

/** Finds MariaDB and Redis, or installs their programs, or says what to do. */
export async function ensureDatabases(machine) {
  const { missing } = machine.find();
  if (missing.length === 0) return;

  if (machine.has('apt-get')) await installWithApt(machine, missing);
  else if (machine.has('brew')) await installWithBrew(machine, missing);
  else throw new Advice(byHand(missing));

  const left = machine.find().missing;
  if (left.length > 0) throw new Advice(byHand(left));
}

/** What ensureDatabases needs of the outside world. */
export function thisMachine() {
  return {
    find: () => findBinaries({ path: process.env.PATH }),
    has: (command) => spawnSync('sh', ['-c', 'command -v "$0"', command]).status === 0,
    isRoot: process.getuid !== undefined && process.getuid() === 0,
    /** Gives the exit code; the command's output goes to the terminal. */
    run: (command, args) => run(command, args, { PATH: pathWithoutTools() }),
    /** Gives the output, in English, or an empty text if the command fails. */
    ask: (command, args) => {
      const env = { ...process.env, LC_ALL: 'C' };
      const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', env });
      return status === 0 ? stdout : '';
    },
    say,
  };
}

async function installWithApt(machine, missing) {
  const packages = unique(missing.map((name) => APT_PACKAGES[name]));
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  const prefix = rights(machine);
  if (prefix === undefined) {
    throw new Advice(
      `Not found: ${missing.join(', ')}. To install them needs root, and this is neither root nor a\n` +
        'user whose sudo works without a password. Please run this, and then try again:\n' +
        `  sudo apt-get update && sudo apt-get ${install.join(' ')}`,
    );
  }

  machine.say(`Not found: ${missing.join(', ')}. Installing the packages ${packages.join(', ')}`);
  machine.say('with apt-get: programs only, no system service is started or enabled.');
  const apt = (args) => {
    const [command, ...rest] = [...prefix, 'env', ...APT_ENV, 'apt-get', ...APT_OPTIONS, ...args];
    return machine.run(command, rest);
  };
  if (!packages.every((name) => hasCandidate(machine, name))) await apt(['update']);
  for (const name of packages) {
    if (hasCandidate(machine, name)) continue;
    throw new Advice(`apt-get knows no package ${name}. ${byHand(missing)}`);
  }
  const code = await apt(install);
  if (code !== 0) throw new Advice(`apt-get failed, see above (exit code ${code}).`);
}

/** What goes before a command that needs root; undefined if there is no way. Asks for no password. */
function rights({ isRoot, has, ask }) {
  if (isRoot) return [];
  return has('sudo') && ask('sudo', ['-n', 'echo', 'yes']) !== '' ? ['sudo', '-n'] : undefined;
}

/** Apt's lists are empty in a fresh container; it then knows no package at all. */
function hasCandidate({ ask }, name) {
  return /Candidate: [^(]/.test(ask('apt-cache', ['policy', name]));
}

async function installWithBrew(machine, missing) {
  const packages = unique(missing.map((name) => BREW_PACKAGES[name]));
  machine.say(`Not found: ${missing.join(', ')}. Running: brew install ${packages.join(' ')}`);
  const code = await machine.run('brew', ['install', ...packages]);
  if (code !== 0) throw new Advice(`brew failed, see above (exit code ${code}).`);
}

function byHand(missing) {
  return (
    `Please install MariaDB (10.11 or newer) and Redis (7 or newer) so that these are in the PATH: ` +
    `${missing.join(', ')}.`
  );
}

function unique(names) {
  return [...new Set(names)];
}
