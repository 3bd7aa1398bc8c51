/** A reproducible stream of numbers in [0, 1). */
export type Random = () => number;

/** A stream that depends on the label only (FNV-1a into mulberry32), so that one table's numbers never shift another's. */
export function createRandom(label: string): Random {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(label)) state = Math.imul(state ^ byte, 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 to `below` - 1. */
export function drawIndex(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** The items in a random order (Fisher–Yates), as a new array. */
export function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = drawIndex(random, last + 1);
    [shuffled[last], shuffled[other]] = [shuffled[other] as Item, shuffled[last] as Item];
  }
  return shuffled;
}

/** `count` different numbers from 0 to `below` - 1, ascending. */
export function drawRows(random: Random, count: number, below: number): number[] {
  const drawn = new Set<number>();
  while (drawn.size < Math.min(count, below)) drawn.add(drawIndex(random, below));
  return [...drawn].sort((left, right) => left - right);
}
