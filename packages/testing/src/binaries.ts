import { findBinaries, type Binaries } from './find-binaries.mjs';

/** The database binaries of this machine. `npm start` and `npm test` install them where they can. */
export function requireBinaries(): Binaries {
  const { binaries, missing } = findBinaries({ path: process.env['PATH'] });
  if (binaries !== undefined) return binaries;
  throw new Error(
    `Not found on this machine: ${missing.join(', ')}. ` +
      'Run `npm test` once, which installs them, or install MariaDB and Redis yourself.',
  );
}
