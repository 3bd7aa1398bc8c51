import * as v from "valibot";
import { KubernetesOptions } from "../../src/contract/kubernetes.ts";
import type { Launch } from "../../src/contract/run.ts";

/** The launch of a run's first 27 pairs at 50 GiB, with what a test wants otherwise. */
export function makeLaunch(change: Partial<Launch> = {}, count = 27): Launch {
  return {
    run: "2026-11-21-a",
    number: 0,
    tasks: Array.from({ length: count }, (_, index) => ({ index, pair: `pair${index}` })),
    ceilingBytes: 50 * 2 ** 30,
    parallelism: count,
    spot: false,
    retries: 3,
    ...change,
  };
}

/** Options as settings would give them. */
export function makeOptions(stated: v.InferInput<typeof KubernetesOptions> = {}): KubernetesOptions {
  return v.parse(KubernetesOptions, { image: "registry.example/widemerge:1.0.0", ...stated });
}
