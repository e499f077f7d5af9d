import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Advice, say } from './advice.mjs';
import { NOT_FOUND, pathWithoutTools, ROOT, run, TOOLS } from './run.mjs';

const STILL_AT_IT_EVERY_MS = 15_000;

/** Afterwards node_modules is what package-lock.json says, and our own Node runs. */
export async function ensureDependencies() {
  if (!isInstalled() || !isUpToDate()) await install();
  requireNode();
}

export function isInstalled() {
  return existsSync(join(TOOLS, 'node'));
}

async function install() {
  say('Installing the dependencies into node_modules with `npm ci` (a minute or so, once) …');
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const progress = setInterval(() => say(`… still at it, ${seconds()} s`), STILL_AT_IT_EVERY_MS);

  // With npm's and Node's own copies on the machine: those in node_modules are about to be removed.
  const args = ['ci', '--loglevel=error', '--include=dev'];
  const code = await run('npm', args, { PATH: pathWithoutTools() });
  clearInterval(progress);
  if (code === NOT_FOUND)
    throw new Advice('npm was not found. Please install Node together with npm.');
  if (code !== 0)
    throw new Advice(`\`npm ${args.join(' ')}\` failed, see above (exit code ${code}).`);
  say(`Installed in ${seconds()} s.`);
}

/**
 * npm keeps a copy of what it has installed. The contents are compared, not the age of the files: a
 * fresh checkout gives package-lock.json a new age and changes nothing in it.
 */
function isUpToDate() {
  const wanted = packagesIn(join(ROOT, 'package-lock.json'));
  const installed = packagesIn(join(ROOT, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '' || optional === true) return true; // optional: for other platforms, mostly
    const present = installed[path];
    return present !== undefined && present.version === version && present.integrity === integrity;
  });
}

function packagesIn(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages || {};
  } catch {
    return {};
  }
}

/** TypeScript runs directly, and SQLite is built in: the exact Node matters. */
function requireNode() {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const found = nodeVersion();
  if (found === `v${devDependencies.node}`) return;
  throw new Advice(
    `Kopeck runs on a Node of its own, ${devDependencies.node}, which npm puts into node_modules/.bin/node;\n` +
      `there is ${found} instead. Its install script has probably been prevented from running\n` +
      '(see `npm config get ignore-scripts`). This mends it: npm ci --ignore-scripts=false',
  );
}

function nodeVersion() {
  try {
    return execFileSync(join(TOOLS, 'node'), ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return 'none that works';
  }
}
