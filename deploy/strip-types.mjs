// Run once, while the image is built: TypeScript as it is written becomes JavaScript, line for line, so
// that no service needs the compiler in its memory (some 20 MB each) and a trace still names the line.
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

/** `from './x.ts'`, `import './x.ts'`, `import('./x.ts')` and `new URL('./x.ts', …)`. */
const IMPORT = /(\b(?:from|import|new URL)\s*\(?\s*'[^'\n]+)\.ts'/g;

for (const path of globSync('{packages,services,cli}/**/*.ts')) {
  const code = stripTypeScriptTypes(readFileSync(path, 'utf8'));
  writeFileSync(path.replace(/\.ts$/, '.js'), code.replaceAll(IMPORT, "$1.js'"));
  rmSync(path);
}
for (const path of globSync('{packages,services,cli}/**/package.json')) {
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('.ts"', '.js"'));
}
