import { isCode, isEdge, isTest, lineRule } from './rule.ts';

const CLOCK_OWNERS = /^packages\/(runtime|testing|sandbox)\//;

export const environment = lineRule({
  claim: 'the environment is read in main.ts alone',
  appliesTo: (path) =>
    isCode(path) && !isTest(path) && !isEdge(path) && !path.startsWith('packages/testing/'),
  never: /\bprocess\.env\b|\bprocess\[|\{[^}]*\benv\b[^}]*\}\s*(=\s*process\b|from 'node:process')/,
  instead: 'take it as an argument; main.ts reads the environment once, through loadConfig',
});

export const clock = lineRule({
  claim: 'the clock is read at the edge, and passed in as `now`',
  appliesTo: (path) => isCode(path) && !isTest(path) && !isEdge(path) && !CLOCK_OWNERS.test(path),
  never:
    /\bDate\.now\b|\bnew Date\b(?!\s*\(\s*[^)\s])|\bperformance\.now\b|\bprocess\.(hrtime|uptime)\b/,
  instead: 'take `now: () => Date`; what depends on the hour cannot be tested',
});
