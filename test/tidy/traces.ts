import type { Rule } from './rule.ts';

/** Traces of the machine on which somebody worked: they mean nothing to anybody else. */
const TRACES: readonly (readonly [trace: RegExp, advice: string])[] = [
  [
    /\b(?:registry\.(?:npmjs|yarnpkg)|npm\.pkg|[\w-]+-npm\.pkg|registry\.npmmirror)\.[a-z]+\b/,
    'a package registry: everybody has their own, and npm knows which',
  ],
  [
    /"resolved": "https?:/,
    'the address of a package: .npmrc has omit-lockfile-registry-resolved, so write the lock file anew',
  ],
  [
    /(?<![\w.~-])\/(?:work|workspace|Users\/\w+|home\/(?!linuxbrew\b|node\b|kopeck\b)\w+)\//,
    'a path of one machine: take it from import.meta.dirname, or from the operator',
  ],
];

export const traces: Rule = {
  claim: 'no file names a package registry or a path of one machine',
  check: ({ path, text }) =>
    text.split('\n').flatMap((line, index) =>
      TRACES.flatMap(([trace, advice]) => {
        const match = trace.exec(line);
        return match === null ? [] : [`${path}:${index + 1}: \`${match[0]}\`: ${advice}`];
      }),
    ),
};

export const privatePackages: Rule = {
  claim: 'no package can be published by mistake',
  check: ({ path, text }) => {
    if (!/(^|\/)package\.json$/.test(path)) return [];
    const { private: isPrivate } = JSON.parse(text) as { readonly private?: unknown };
    return isPrivate === true ? [] : [`${path}: add "private": true`];
  },
};
