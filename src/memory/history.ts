import type { MemorySample } from "../model/measurement.ts";

/** Samples of a run of any length in bounded space. */
export interface History {
  /** Adds the newest sample. */
  add(sample: MemorySample): void;
  /** All samples that are kept, oldest first. */
  list(): MemorySample[];
}

/**
 * Keeps at most 2 × `half` samples: the newest `half` unchanged, older ones reduced to the largest of every 2, 4, 8 …
 * neighbours, so that no sampled peak is lost.
 */
export function createHistory(half = 300): History {
  const recent: MemorySample[] = [];
  let older: MemorySample[] = [];
  let bucket: MemorySample[] = [];
  let stride = 1;

  const age = (sample: MemorySample): void => {
    bucket.push(sample);
    if (bucket.length < stride) return;
    older.push(bucket.reduce(larger));
    bucket = [];
    if (older.length < half) return;
    older = mergePairs(older);
    stride *= 2;
  };

  return {
    add(sample) {
      recent.push(sample);
      const oldest = recent.length > half ? recent.shift() : undefined;
      if (oldest !== undefined) age(oldest);
    },
    list: () => [...older, ...(bucket.length === 0 ? [] : [bucket.reduce(larger)]), ...recent],
  };
}

function larger(left: MemorySample, right: MemorySample): MemorySample {
  return right.bytes > left.bytes ? right : left;
}

function mergePairs(samples: readonly MemorySample[]): MemorySample[] {
  return samples.flatMap((sample, index) => {
    if (index % 2 === 1) return [];
    const next = samples[index + 1];
    return [next === undefined ? sample : larger(sample, next)];
  });
}
