import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { File } from './rule.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** What .gitignore keeps out. Not asked of git, so that a downloaded archive can be checked too. */
const NOT_OURS = new Set(['.git', '.local', 'node_modules', 'coverage', '.env']);
const TEXT =
  /\.(?:ts|mts|mjs|js|json|jsonc|sql|md|sh|bash|ya?ml|toml|html|css|txt|conf|tmpl|example)$/;
const WITHOUT_EXTENSION = /(?:^|\/)(?:Dockerfile|LICENSE|\.[a-z]+|\.ci\/run)$/;

/** Every text file of the repository. */
export function readRepository(folder = ''): File[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (NOT_OURS.has(entry.name) || entry.isSymbolicLink()) return [];
    if (entry.isDirectory()) return readRepository(path);
    if (!TEXT.test(path) && !WITHOUT_EXTENSION.test(path)) return [];
    return [{ path, text: readFileSync(join(ROOT, path), 'utf8') }];
  });
}
