import { readFileSync } from 'node:fs';

/** As on the operator's machine, the binary log and the small cache among them; the last one wins. */
export function mariadbSettings(cache: string | undefined): readonly string[] {
  const file = new URL('../deploy/mariadb/kopeck.cnf', import.meta.url);
  const settings = readFileSync(file, 'utf8').matchAll(/^([a-z][a-z_-]*)(?: = (\S+))?$/gm);
  return Array.from(settings, ([, key, value]) =>
    value === undefined ? `--${key}` : `--${key}=${value}`,
  ).concat(cache === undefined ? [] : [`--innodb-buffer-pool-size=${cache}`]);
}
