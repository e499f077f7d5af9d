import { imports } from './imports.ts';
import { barrels, classes, defaultExports, enums, realTests } from './language.ts';
import { money } from './money.ts';
import { clock, environment } from './places.ts';
import type { Rule } from './rule.ts';
import { size } from './size.ts';
import { sql } from './sql.ts';
import { privatePackages, traces } from './traces.ts';

/** The house rules that a machine can check; oxlint has the others. */
export const RULES: readonly Rule[] = [
  size,
  imports,
  environment,
  clock,
  money,
  sql,
  defaultExports,
  enums,
  classes,
  barrels,
  realTests,
  traces,
  privatePackages,
];
