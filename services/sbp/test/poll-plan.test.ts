import { expect, test } from 'vitest';
import { nextLookAt } from '../src/poll-plan.ts';

const CREATED = new Date('2026-01-15T13:00:00Z');
const order = { createdAt: CREATED, expiresAt: at(3_600) };

test('an order is looked at often while the payer is at it, then patiently, and after its end', () => {
  const looks: number[] = [];
  let next: Date | null = CREATED;
  while (next !== null) {
    next = nextLookAt(order, next);
    if (next !== null) looks.push((next.getTime() - CREATED.getTime()) / 1000);
  }

  expect(looks.slice(0, 12)).toEqual([5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60]);
  expect(looks.slice(12, 32)).toEqual(Array.from({ length: 20 }, (_, index) => 75 + 15 * index));
  expect(looks.slice(32, 35)).toEqual([420, 480, 540]);
  const late = looks.filter((second) => second >= 3_600);
  expect(late).toEqual([3_600, 3_660, 4_200, 7_200, 90_000]);
});

test.each([
  ['during a pause of the service', 1_800, 1_860],
  ['just before it expires', 3_590, 3_601],
  ['after it has expired', 3_700, 4_200],
  ['a day later', 90_000, null],
])('a look %s is followed by the right one', (_when, second, next) => {
  expect(nextLookAt(order, at(second))).toEqual(next === null ? null : at(next));
});

function at(second: number): Date {
  return new Date(new Date('2026-01-15T13:00:00Z').getTime() + second * 1000);
}
