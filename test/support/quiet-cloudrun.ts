/** Workers that wait, as tasks of the test double of Cloud Run. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createCloudRunBackend } from "../../src/backend/cloudrun/backend.ts";
import { CloudRunDouble } from "./cloudrun-double.ts";
import { makeCloudRunOptions } from "./cloudrun-options.ts";
import type { QuietPlatform } from "./quiet.ts";
import { GiB, makeStand } from "./run.ts";

/** They end with 3 once a file with the name of their pair exists. */
const script = (folder: string): string =>
  `IFS=,; set -- $WIDEMERGE_PAIRS; shift "$CLOUD_RUN_TASK_INDEX"; trap 'exit 143' TERM
   while ! test -e '${folder}'/$1.end; do sleep 1; done; exit 3`;

export async function openQuietCloudRun(
  folder: string,
  pairs: readonly string[],
): Promise<QuietPlatform & { close(): Promise<void> }> {
  const stand = makeStand(folder, pairs);
  const double = await new CloudRunDouble({
    command: ["/bin/sh", "-c", script(folder)],
    graceMilliseconds: 2000,
  }).open();
  const environment = { WIDEMERGE_INPUT: stand.settings.input, WIDEMERGE_OUTPUT: stand.output };
  const failed = () =>
    [...double.executions.values()].reduce((sum, { execution }) => sum + (execution.failedCount ?? 0), 0);
  return {
    stand,
    machine: createCloudRunBackend(makeCloudRunOptions({ cloudRunEndpoint: double.endpoint }), environment),
    ceilingBytes: GiB,
    requests: double.calls,
    end: async (pair) => {
      const before = failed();
      writeFileSync(join(folder, `${pair}.end`), "");
      while (failed() === before) await sleep(20);
    },
    close: () => double.close(),
  };
}
