import * as v from "valibot";
import type { CloudRunOptions } from "../../src/backend/cloudrun/options.ts";
import { cloudRunEntries } from "../../src/config/cloudrun.ts";
import { kubernetesEntries } from "../../src/config/kubernetes.ts";
import type { Launch } from "../../src/model/run.ts";

/** Options as settings would give them. */
/** The schema of the settings that the backend reads. */
export const CloudRunEntries = v.object({
  image: kubernetesEntries.image,
  cpu: kubernetesEntries.cpu,
  ...cloudRunEntries,
});

export function makeCloudRunOptions(stated: v.InferInput<typeof CloudRunEntries> = {}): CloudRunOptions {
  const image = "us-central1-docker.pkg.dev/fx-features/fx/widemerge:1.0.0";
  return v.parse(CloudRunEntries, { project: "fx-features", region: "us-central1", image, ...stated });
}

export const bucketEnvironment = { WIDEMERGE_INPUT: "gs://fx/checkpoints", WIDEMERGE_OUTPUT: "gs://fx/training" };

/** The launch of a run's first 27 pairs at 2 GiB, with what a test wants otherwise. */
export function makeCloudRunLaunch(change: Partial<Launch> = {}, count = 27): Launch {
  return {
    run: "2026-11-21-a",
    number: 0,
    tasks: Array.from({ length: count }, (_, index) => ({ index, pair: `pair${index}` })),
    ceilingBytes: 2 * 2 ** 30,
    parallelism: count,
    spot: false,
    ...change,
  };
}
