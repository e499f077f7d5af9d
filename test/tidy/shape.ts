import { posix } from 'node:path';
import type { File } from './rule.ts';

/** A folder that is recognised by one file, and must have the others as well. */
interface Shape {
  readonly what: string;
  readonly mark: (file: File) => boolean;
  readonly files: readonly string[];
  /** Must exist: otherwise a renamed mark would make the rule true of nothing. */
  readonly known: readonly string[];
}

const SHAPES: readonly Shape[] = [
  {
    what: 'a source',
    mark: ({ path, text }) => /^services\/.*\/source\.ts$/.test(path) && /\bSource</.test(text),
    files: ['config.ts', 'verify.ts', 'parse.ts', 'normalise.ts', 'source.ts'],
    known: [
      'services/crypto/src/cryptobot',
      'services/crypto/src/telegram',
      'services/epn/src/epn',
    ],
  },
  {
    what: 'an SBP provider',
    mark: ({ path }) => /^services\/sbp\/src\/.+\/provider\.ts$/.test(path),
    files: ['config.ts', 'client.ts', 'callback.ts', 'states.ts', 'provider.ts'],
    known: ['services/sbp/src/raiffeisen'],
  },
  {
    what: 'a VPN panel',
    mark: ({ path }) => /^services\/admin\/src\/panels\/.+\/panel\.ts$/.test(path),
    files: ['config.ts', 'client.ts', 'panel.ts'],
    known: ['3x-ui', 'marzban', 'remnawave', 'hiddify', 'sandbox'].map(
      (name) => `services/admin/src/panels/${name}`,
    ),
  },
];

/** Whoever has seen one source has seen them all: the same files in each. */
export function checkShapes(files: readonly File[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return SHAPES.flatMap((shape) => {
    const folders = files.filter(shape.mark).map(({ path }) => posix.dirname(path));
    return [...new Set([...shape.known, ...folders])].flatMap((folder) =>
      shape.files
        .filter((name) => !paths.has(`${folder}/${name}`))
        .map(
          (name) =>
            `${folder}: ${shape.what} without ${name}; the set is ${shape.files.join(', ')}`,
        ),
    );
  });
}
