import { expect, test } from 'vitest';
import { PLANTS } from './chaos/plants.ts';
import { readRepository } from './tidy/files.ts';
import { RULES } from './tidy/rules.ts';
import { checkShapes } from './tidy/shape.ts';

// The house rules, held against every file of the repository. The rules are in test/tidy/;
// test/tidy-rules.test.ts proves of each that it bites.

// Shows every rule what it must refuse.
const EXAMPLES = 'test/tidy-rules.test.ts';

const files = readRepository().filter(({ path }) => path !== EXAMPLES);

test('there is a repository to look at', () => {
  expect(files.map(({ path }) => path)).toContain('packages/core/src/money.ts');
});

for (const { claim, check } of RULES) {
  test(claim, () => {
    expect(files.flatMap(check)).toEqual([]);
  });
}

test('every source and every provider is made of the same files', () => {
  expect(checkShapes(files)).toEqual([]);
});

// Chaos is shown them a few at a time, by hand and in CI: the text of one that has moved goes unnoticed.
test('every bug that chaos is shown can still be planted', () => {
  const edits = PLANTS.flatMap((plant) => plant.edits);
  const misplaced = edits.filter(({ file, find }) => {
    const source = files.find(({ path }) => path === file)?.text ?? '';
    return source.split(find).length !== 2;
  });
  expect(misplaced.map(({ file, find }) => `${file}: ${find}`)).toEqual([]);
});
