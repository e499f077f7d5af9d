import type { Knobs } from './knobs.ts';

/**
 * A notification's fields as the knobs want them written: all names beginning with a capital or a small
 * letter, as banks have changed them overnight, and fields that no documentation has.
 */
export function dress(
  fields: Readonly<Record<string, unknown>>,
  { casing, unknownFields }: Pick<Knobs, 'casing' | 'unknownFields'>,
): Record<string, unknown> {
  const all = unknownFields ? { ...fields, ...UNHEARD_OF } : fields;
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [SPELL[casing](name), value]),
  );
}

const UNHEARD_OF = { sbpOperationKind: 'C2B', payerBankDetails: { bic: '000000000', tags: ['x'] } };

const SPELL: Readonly<Record<Knobs['casing'], (name: string) => string>> = {
  'as-is': (name) => name,
  pascal: (name) => name.charAt(0).toUpperCase() + name.slice(1),
  camel: (name) => name.charAt(0).toLowerCase() + name.slice(1),
};
