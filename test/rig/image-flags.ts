import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCKERFILE = readFileSync(join(import.meta.dirname, '..', '..', 'Dockerfile'), 'utf8');
const ENTRYPOINT = /^ENTRYPOINT (\[.*\])$/m;

/** What Node is told in the image: what is tested and measured runs as it does at the operator's. */
export const IMAGE_FLAGS: readonly string[] = flagsOf(ENTRYPOINT.exec(DOCKERFILE)?.[1]);

function flagsOf(entrypoint: string | undefined): readonly string[] {
  if (entrypoint === undefined) throw new Error('the Dockerfile has no ENTRYPOINT');
  const [, ...flags] = JSON.parse(entrypoint) as readonly string[];
  return flags;
}
