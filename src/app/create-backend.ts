import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Backend } from "../backend/backend.ts";
import type { Settings } from "../config/settings.ts";
import { readLimits } from "../memory/limits.ts";
import type { BackendName } from "../model/backend-name.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, failOn, type Problem } from "../model/failure.ts";
import { cloudRunMemory, countCloudRunCpus } from "../model/platform-limits.ts";
import { isGcsPath } from "../model/storage-path.ts";
import { formatMemory } from "../model/units.ts";
import type { Capacity } from "../run/launch.ts";
import { type ObserverFactory, runGuarded } from "./guarded-task.ts";
import { modulePath } from "./module-path.ts";
import { toLocalEnvironment, toWorkerEnvironment } from "./worker-environment.ts";

/** Where pairs are merged, and what each worker may use. */
export interface Platform {
  readonly backend: Backend;
  readonly capacity: Capacity;
  /** Virtual CPUs of one worker. */
  readonly vcpu: number;
}

/**
 * Creates the backend of that name. Only its own client library is loaded. `observe` follows a pair that is planned here
 * to size a worker elsewhere. @throws Failure (usage) when the settings do not fit the backend
 */
export async function createBackend(
  name: BackendName,
  settings: Settings,
  observe: ObserverFactory = () => ({}),
): Promise<Platform> {
  switch (name) {
    case "local":
      return createLocal(settings);
    case "kubernetes":
      return createKubernetes(settings);
    case "cloudrun":
      return createCloudRun(settings, observe);
  }
}

async function createLocal(settings: Settings): Promise<Platform> {
  const limits = readLimits();
  const budgetBytes = limits.memoryLimitBytes ?? limits.memoryTotalBytes;
  const { createLocalBackend } = await import("../backend/local/backend.ts");
  const backend = createLocalBackend({
    stateFolder: (run) => stateFolder(settings.output, run),
    command: [process.execPath, ...process.execArgv, modulePath("cli"), "merge"],
    environment: toLocalEnvironment(settings),
    budgetBytes,
    vcpu: limits.cpus,
    graceMilliseconds: 12_000,
  });
  return { backend, capacity: shareMachine(settings, limits), vcpu: limits.cpus };
}

type MachineLimits = Pick<ReturnType<typeof readLimits>, "cpus" | "memoryLimitBytes" | "memoryAvailableBytes">;

/** Share of the free memory that widemerge takes where no container limit applies. */
const machineShare = 0.8;

/**
 * How many pairs to merge side by side on one machine: one per CPU, as far as their ceilings fit into the memory together.
 * Without a stated ceiling they share the memory.
 */
export function shareMachine(
  { memoryCeiling, parallelism }: Pick<Settings, "memoryCeiling" | "parallelism">,
  { cpus, memoryLimitBytes, memoryAvailableBytes }: MachineLimits,
): Capacity {
  const ours = memoryLimitBytes === undefined ? Math.floor(memoryAvailableBytes * machineShare) : memoryAvailableBytes;
  const wanted = parallelism === "auto" ? cpus : parallelism;
  const ceilingBytes = memoryCeiling === "auto" ? Math.floor(ours / wanted) : memoryCeiling;
  return {
    ceilingBytes,
    workers: wanted,
    memoryBytes: ours,
    spot: false,
  };
}

async function createKubernetes(settings: Settings): Promise<Platform> {
  const { createKubernetesBackend } = await import("../backend/kubernetes/backend.ts");
  const { countCpus } = await import("../backend/kubernetes/pod.ts");
  const { checkAutopilot } = await import("../backend/kubernetes/autopilot.ts");
  const ceilingBytes = requireCeiling(settings, "pod");
  const { parallelism, spot } = settings;
  // The larger ceilings are only used after a pair ran out of memory: that is too late to refuse them.
  const ceilings = [ceilingBytes, ...settings.memoryCeilings];
  failOn(
    ExitCode.usage,
    ceilings.flatMap((bytes) => checkAutopilot({ ceilingBytes: bytes }, settings)),
  );
  return {
    backend: createKubernetesBackend(settings, toWorkerEnvironment(settings)),
    capacity: {
      ceilingBytes,
      workers: parallelism === "auto" ? Number.POSITIVE_INFINITY : parallelism,
      spot,
    },
    vcpu: countCpus(settings.cpu, ceilingBytes),
  };
}

async function createCloudRun(settings: Settings, observe: ObserverFactory): Promise<Platform> {
  const { createCloudRunBackend } = await import("../backend/cloudrun/backend.ts");
  const { parallelism, memoryCeilings } = settings;
  const tooLarge = memoryCeilings.filter((bytes) => bytes > cloudRunMemory.mostBytes);
  const found = tooLarge.map((bytes) => formatMemory(bytes)).join(", ");
  const fix = "remove larger ceilings from --memory-ceilings";
  // The larger ceilings are only used after a pair ran out of memory: that is too late to refuse them.
  if (tooLarge.length > 0)
    throw new Failure(ExitCode.usage, [{ what: "a Cloud Run task has at most 32 GiB of memory", found, fix }]);
  const ceilingBytes = requireCeiling(settings, "Cloud Run task");
  return {
    backend: createCloudRunBackend(settings, toWorkerEnvironment(settings), () => predictPeak(settings, observe)),
    capacity: {
      ceilingBytes,
      workers: parallelism === "auto" ? Number.POSITIVE_INFINITY : parallelism,
      spot: false,
    },
    vcpu: countCloudRunCpus(settings.cpu, ceilingBytes),
  };
}

/** Memory in bytes that the plan of one pair predicts; undefined when no pair can be planned. */
async function predictPeak(settings: Settings, observe: ObserverFactory): Promise<number | undefined> {
  const here = { ...settings, memoryCeiling: "auto", memoryWarn: "auto", memoryFree: 0 } as const;
  for (const pair of settings.pairs) {
    const { report } = await runGuarded({ command: "plan", pair, settings: here }, here, observe(pair));
    if (report?.command === "plan") return report.plan.predictedPeakBytes;
  }
  return undefined;
}

/** The problem of a worker elsewhere whose memory is not stated in bytes. */
export function noCeiling(worker: "pod" | "Cloud Run task"): Problem {
  return { what: `a ${worker}'s memory cannot be auto`, fix: "set --memory-ceiling, such as 50GiB" };
}

function requireCeiling({ memoryCeiling }: Settings, worker: Parameters<typeof noCeiling>[0]): number {
  if (memoryCeiling !== "auto") return memoryCeiling;
  throw new Failure(ExitCode.usage, [noCeiling(worker)]);
}

/** Where the backend keeps its state: beside the run's other files, or on this machine when those are in a bucket. */
function stateFolder(output: string, run: string): string {
  if (!isGcsPath(output)) return join(output, "runs", run, "local");
  const state = process.env.XDG_STATE_HOME || join(homedir(), ".local", "state");
  const bucket = createHash("sha256").update(output).digest("hex").slice(0, 16);
  return resolve(state, "widemerge", bucket, run);
}
