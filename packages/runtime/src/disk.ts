import { statfsSync } from 'node:fs';

const FREE_MIN = 0.1;

/** Less than a tenth of the folder's disk is free; or it is gone. */
export function isDiskFull(folder: string): boolean {
  try {
    const { bavail, blocks } = statfsSync(folder);
    return bavail < blocks * FREE_MIN;
  } catch {
    return true;
  }
}
