import { join } from "node:path";
import type { Backend } from "../../src/backend/backend.ts";
import { createLocalBackend, type LocalOptions } from "../../src/backend/local/backend.ts";
import { GiB, type Stand, workerScript } from "./run.ts";

/** The local backend with workers that merge nothing. */
export function makeLocalBackend(stand: Stand, given: Partial<LocalOptions> = {}, seconds = 0): Backend {
  return createLocalBackend({
    stateFolder: (run) => join(stand.output, "runs", run, "local"),
    command: ["/bin/sh", "-c", workerScript(stand, seconds)],
    environment: { PATH: process.env.PATH ?? "" },
    budgetBytes: 64 * GiB,
    vcpu: 2,
    graceMilliseconds: 2000,
    ...given,
  });
}
