import type { Check } from './check.ts';

/** All that `kopeck doctor` looks at, in the order in which it is told. */
export const CHECKS: readonly Check[] = [];
