/** Dice that a seed throws again in the same order. */
export interface Random {
  /** From 0, below 1. */
  readonly part: () => number;
  /** From the least to the most, both possible. */
  readonly whole: (least: number, most: number) => number;
  readonly pick: <T>(things: readonly [T, ...T[]]) => T;
}

/** mulberry32: 32 bits of state, as even as a test needs. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function part(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const whole = (least: number, most: number): number =>
    least + Math.floor(part() * (most - least + 1));
  return { part, whole, pick: (things) => things[whole(0, things.length - 1)] ?? things[0] };
}
