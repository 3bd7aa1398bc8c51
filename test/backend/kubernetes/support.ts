import * as v from "valibot";
import type { KubernetesOptions } from "../../../src/backend/kubernetes/options.ts";
import { kubernetesEntries } from "../../../src/config/kubernetes.ts";
import type { Launch } from "../../../src/model/run.ts";

/** The launch of a run's first 27 pairs at 50 GiB, with what a test wants otherwise. */
export function makeLaunch(change: Partial<Launch> = {}, count = 27): Launch {
  return {
    run: "2026-11-21-a",
    number: 0,
    tasks: Array.from({ length: count }, (_, index) => ({ index, pair: `pair${index}` })),
    ceilingBytes: 50 * 2 ** 30,
    parallelism: count,
    spot: false,
    ...change,
  };
}

/** Options as settings would give them. */
const Entries = v.object(kubernetesEntries);

export function makeOptions(stated: v.InferInput<typeof Entries> = {}): KubernetesOptions {
  return v.parse(Entries, { image: "registry.example/widemerge:1.0.0", ...stated });
}
