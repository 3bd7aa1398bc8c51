/** What the fuzz tests share: numbers from a seed, a time box, and changes of JSON documents. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";

/** Seconds that `make fuzz` gives to each target; without it, a target ends after a fixed number of cases. */
const seconds = Number(process.env.WIDEMERGE_FUZZ_SECONDS ?? 0);
/** The first seed: fixed, so that every run of the tests does the same; `make fuzz` goes on from another one each time. */
const firstSeed = Number(process.env.WIDEMERGE_FUZZ_SEED ?? 1);

/** Random numbers of a seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    assert.ok(item !== undefined || items.length > 0, "nothing to choose from");
    return item as Item;
  }
}

/**
 * Runs `check` with one seed after the other: `cases` of them and never longer than `most` seconds, or for as long as
 * `make fuzz` says. A failure names the seed that repeats it. Returns how many cases ran.
 */
export async function fuzz(
  { name, cases, most }: { readonly name: string; readonly cases: number; readonly most: number },
  check: (dice: Dice, seed: number) => Promise<void>,
): Promise<number> {
  const end = performance.now() + 1000 * (seconds > 0 ? seconds : most);
  const wanted = seconds > 0 ? Number.POSITIVE_INFINITY : cases;
  let done = 0;
  for (; done < wanted && performance.now() < end; done += 1) {
    const seed = firstSeed + done;
    try {
      await check(new Dice(seed), seed);
    } catch (error) {
      const again = `WIDEMERGE_FUZZ_SEED=${seed} repeats it`;
      throw new Error(`${name}, seed ${seed} (${again}): ${inspect(error)}`);
    }
  }
  return done;
}

/** Runs a command; it must end well or with a Failure that has a cause. Returns the Failure. */
export async function endNamed(work: () => Promise<unknown> | unknown): Promise<Failure | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    assert.notEqual(error.exitCode, ExitCode.unexpected, error.message);
    assert.ok(error.problems.length > 0, "a failure without a problem");
    return error;
  }
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const strange: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e300,
  -1e300,
  2 ** 53,
  "",
  "x",
  "../../escaped",
  "\u001b[2J\n",
  "1e999",
  "__proto__",
  [],
  {},
  [null],
  { x: null },
];

/** A document with one to three entries dropped, doubled, exchanged or replaced; or its text cut or overwritten. */
export function mutateJson(text: string, dice: Dice): string {
  if (dice.below(12) === 0) return damageText(text, dice);
  let tree = JSON.parse(text) as Json;
  for (let change = dice.below(3); change >= 0; change -= 1) tree = mutateTree(tree, dice);
  return JSON.stringify(tree);
}

function damageText(text: string, dice: Dice): string {
  const at = dice.below(text.length);
  return dice.pick([
    text.slice(0, at),
    `${text.slice(0, at)}\0${text.slice(at + 1)}`,
    "",
    "null",
    "[]",
    '"x"',
    "[".repeat(50_000),
  ]);
}

function mutateTree(tree: Json, dice: Dice): Json {
  const places = listPlaces(tree);
  if (places.length === 0) return dice.pick(strange);
  const { parent, key } = dice.pick(places);
  const entries = parent as Record<string, Json>;
  const change = dice.below(8);
  if (change === 0 && Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (change === 0) delete entries[key];
  else if (change === 1 && Array.isArray(parent)) parent.push(structuredClone(entries[key] ?? null));
  else if (change === 2) {
    const other = dice.pick(places);
    entries[key] = structuredClone((other.parent as Record<string, Json>)[other.key] ?? null);
  } else entries[key] = structuredClone(dice.pick(strange));
  return tree;
}

interface Place {
  readonly parent: Json[] | { [name: string]: Json };
  readonly key: string;
}

function listPlaces(tree: Json): Place[] {
  if (typeof tree !== "object" || tree === null) return [];
  return Object.keys(tree).flatMap((key) => [
    { parent: tree, key },
    ...listPlaces((tree as Record<string, Json>)[key] ?? null),
  ]);
}
