// Where MariaDB and Redis live on this machine. Plain JavaScript without dependencies, because the
// launcher (cli/bootstrap.mjs) needs it before anything is installed, on whatever Node there is.

import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Folders that hold servers but are often missing from a user's PATH. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Homebrew keeps the binaries of each formula under its own `opt` folder, linked or not. */
const BREW_PREFIXES = ['/opt/homebrew', '/usr/local', '/home/linuxbrew/.linuxbrew'];
const BREW_FORMULA = /^(mariadb|redis)(@.*)?$/;

/** See the types in find-binaries.d.mts. */
export function findBinaries({ path = '', folders = usualFolders() } = {}) {
  const search = [...path.split(delimiter).filter((folder) => folder !== ''), ...folders];
  const find = (name) => search.map((folder) => join(folder, name)).find(isExecutable);

  const binaries = {
    mariadbd: find('mariadbd'),
    mariadbInstallDb: find('mariadb-install-db'),
    mariadb: find('mariadb'),
    redisServer: redisServer(find),
  };
  const missing = Object.keys(NAMES).filter((key) => binaries[key] === undefined);
  return missing.length === 0
    ? { binaries, missing: [] }
    : { missing: missing.map((key) => NAMES[key]) };
}

const NAMES = {
  mariadbd: 'mariadbd',
  mariadbInstallDb: 'mariadb-install-db',
  mariadb: 'mariadb',
  redisServer: 'redis-server',
};

/**
 * Redis is one binary that decides by its name what it is. Debian's redis-tools has it as
 * redis-check-rdb; only the package redis-server, which also starts a system service, adds the link.
 */
function redisServer(find) {
  const command = find('redis-server') ?? find('redis-check-rdb');
  if (command === undefined) return undefined;
  return { command: realpathSync(command), argv0: 'redis-server' };
}

function usualFolders() {
  return [...USUAL_FOLDERS, ...BREW_PREFIXES.flatMap(brewFolders)];
}

function brewFolders(prefix) {
  const formulas = list(join(prefix, 'opt')).filter((name) => BREW_FORMULA.test(name));
  return [prefix, ...formulas.map((name) => join(prefix, 'opt', name))].map((folder) =>
    join(folder, 'bin'),
  );
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
