import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import type { Backend } from "../backend/backend.ts";
import { mergeSettings } from "../cli/merge.ts";
import { variableOf } from "../config/resolve.ts";
import { Settings } from "../config/settings.ts";
import { readLimits } from "../memory/limits.ts";
import type { BackendName } from "../model/backend-name.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, failOn } from "../model/failure.ts";
import { cloudRunMemory, countCloudRunCpus } from "../model/platform-limits.ts";
import { isGcsPath } from "../model/storage-path.ts";
import { formatMemory } from "../model/units.ts";
import type { Capacity } from "../run/options.ts";
import { runGuarded } from "./guarded-task.ts";
import { toWorkerEnvironment } from "./worker-environment.ts";

/** Where pairs are merged, and what each of them may use. */
export interface Machine {
  readonly backend: Backend;
  readonly capacity: Capacity;
  /** Virtual CPUs of one worker. */
  readonly vcpu: number;
}

/** The backend of that name. Only its own client library is loaded. @throws Failure (usage) */
export async function openMachine(name: BackendName, settings: Settings): Promise<Machine> {
  if (name === "local") return openLocal(settings);
  return name === "kubernetes" ? openKubernetes(settings) : openCloudRun(settings);
}

async function openLocal(settings: Settings): Promise<Machine> {
  const limits = readLimits();
  const budgetBytes = limits.memoryLimitBytes ?? limits.memoryTotalBytes;
  const { createLocalBackend } = await import("../backend/local/backend.ts");
  const backend = createLocalBackend({
    stateFolder: (run) => stateFolder(settings.output, run),
    command: [process.execPath, ...process.execArgv, new URL("../cli.ts", import.meta.url).pathname, "merge"],
    environment: workerEnvironment(settings),
    budgetBytes,
    vcpu: limits.cpus,
    retryMilliseconds: 1000,
    graceMilliseconds: 12_000,
  });
  return { backend, capacity: shareMachine(settings, limits), vcpu: limits.cpus };
}

type MachineLimits = Pick<ReturnType<typeof readLimits>, "cpus" | "memoryLimitBytes" | "memoryAvailableBytes">;
/** What the rest of the machine keeps, where no container's limit says what is ours. */
const machineShare = 0.8;

/**
 * Pairs side by side on one machine: one a CPU, as far as their ceilings fit into the memory together. Where no ceiling
 * is stated, they share the memory.
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
    parallelism: (pairs, ceiling) => Math.max(1, Math.min(pairs, wanted, Math.floor(ours / ceiling))),
    spot: false,
  };
}

async function openKubernetes(settings: Settings): Promise<Machine> {
  const { createKubernetesBackend } = await import("../backend/kubernetes/backend.ts");
  const { countCpus } = await import("../backend/kubernetes/pod.ts");
  const { checkAutopilot } = await import("../backend/kubernetes/autopilot.ts");
  const ceilingBytes = requireCeiling(settings);
  const { parallelism, spot } = settings;
  // The larger ones are asked for when a pair has run out of memory: too late to be refused.
  const ceilings = [ceilingBytes, ...settings.memoryCeilings];
  failOn(
    ExitCode.usage,
    ceilings.flatMap((bytes) => checkAutopilot({ ceilingBytes: bytes }, settings)),
  );
  return {
    backend: createKubernetesBackend(settings, toWorkerEnvironment(settings)),
    capacity: {
      ceilingBytes,
      parallelism: (pairs) => (parallelism === "auto" ? pairs : Math.min(pairs, parallelism)),
      spot,
    },
    vcpu: countCpus(settings.cpu, ceilingBytes),
  };
}

async function openCloudRun(settings: Settings): Promise<Machine> {
  const { createCloudRunBackend } = await import("../backend/cloudrun/backend.ts");
  const { parallelism, memoryCeilings } = settings;
  const tooLarge = memoryCeilings.filter((bytes) => bytes > cloudRunMemory.mostBytes);
  const found = tooLarge.map((bytes) => formatMemory(bytes)).join(", ");
  const fix = "leave them out of --memory-ceilings";
  // Asked for when a pair has run out of memory: too late to be refused.
  if (tooLarge.length > 0)
    throw new Failure(ExitCode.usage, [{ what: "a Cloud Run task has at most 32 GiB of memory", found, fix }]);
  const ceilingBytes = requireCeiling(settings);
  return {
    backend: createCloudRunBackend(settings, toWorkerEnvironment(settings), () => predictPeak(settings)),
    capacity: {
      ceilingBytes,
      parallelism: (pairs) => (parallelism === "auto" ? pairs : Math.min(pairs, parallelism)),
      spot: false,
    },
    vcpu: countCloudRunCpus(settings.cpu, ceilingBytes),
  };
}

/** Memory in bytes that the plan of one pair needs; undefined where none can be planned. */
async function predictPeak(settings: Settings): Promise<number | undefined> {
  const here = { ...settings, memoryCeiling: "auto", memoryWarn: "auto", memoryFree: 0 } as const;
  for (const pair of settings.pairs) {
    const { report } = await runGuarded({ command: "plan", pair, settings: here }, here);
    if (report?.command === "plan") return report.plan.predictedPeakBytes;
  }
  return undefined;
}

function requireCeiling({ memoryCeiling }: Settings): number {
  if (memoryCeiling !== "auto") return memoryCeiling;
  const fix = "state it with --memory-ceiling, such as 50GiB";
  const problem = { what: "a pod needs its memory in numbers", found: "memoryCeiling auto", fix };
  throw new Failure(ExitCode.usage, [problem]);
}

/** Beside the run's other files, or on this machine where those are in a bucket. */
function stateFolder(output: string, run: string): string {
  if (!isGcsPath(output)) return join(output, "runs", run, "local");
  const state = process.env.XDG_STATE_HOME || join(homedir(), ".local", "state");
  const bucket = createHash("sha256").update(output).digest("hex").slice(0, 16);
  return resolve(state, "widemerge", bucket, run);
}

/** This process's environment with the settings in force in place of those that it was given. */
function workerEnvironment(settings: Settings): Record<string, string> {
  const defaults = v.parse(Settings, {});
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("WIDEMERGE_"));
  const stated = mergeSettings
    .filter((name) => settings[name] !== undefined && !isDeepStrictEqual(settings[name], defaults[name]))
    .map((name): [string, string] => [variableOf(name), String(settings[name])]);
  const entries = [...inherited, ...stated].filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
