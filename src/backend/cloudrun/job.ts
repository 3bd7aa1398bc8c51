import { createHash } from "node:crypto";
import { ExitCode } from "../../model/exit-code.ts";
import { failOn } from "../../model/failure.ts";
import { placeVariables } from "../../model/generation.ts";
import { cloudRunMemory, countCloudRunCpus } from "../../model/platform-limits.ts";
import type { Launch } from "../../model/run.ts";
import { MiB, printSize } from "../../model/units.ts";
import type { WorkerEnvironment } from "../backend.ts";
import { checkLaunch, requireOptions } from "./check.ts";
import type { EnvVar, Job, TaskTemplate } from "./client.ts";
import { annotations, labels } from "./names.ts";
import type { CloudRunOptions } from "./options.ts";

/**
 * The Cloud Run job of a launch, with one task per pair. Pure: the same arguments give the same job, which is how an
 * existing job is recognised. `predictedBytes` is the memory that the largest plan needs.
 * @throws Failure (usage) with everything that would keep it from ever running.
 */
export function buildJob(
  launch: Launch,
  options: CloudRunOptions,
  environment: WorkerEnvironment,
  predictedBytes?: number,
): Job {
  failOn(ExitCode.usage, checkLaunch(launch, options, environment, predictedBytes));
  const shared = { [labels.run]: launch.run, [labels.launch]: `${launch.number}` };
  const pairs = { [annotations.pairs]: launch.tasks.map(({ pair }) => pair).join(",") };
  const job: Job = {
    labels: shared,
    annotations: pairs,
    client: "widemerge",
    template: {
      labels: shared,
      taskCount: launch.tasks.length,
      parallelism: Math.min(launch.parallelism, launch.tasks.length),
      template: buildTask(launch, options, environment),
    },
  };
  const digest = createHash("sha256").update(JSON.stringify(job)).digest("hex");
  return { ...job, annotations: { ...pairs, [annotations.digest]: digest } };
}

/**
 * The task of any index. It has no retries: Cloud Run would retry whatever the exit code is, and report the last start only.
 * The controller decides by the exit code, and each of its retries has its own result and cost.
 */
function buildTask(launch: Launch, options: CloudRunOptions, environment: WorkerEnvironment): TaskTemplate {
  const memoryBytes = memoryOf(launch);
  const vcpu = countCloudRunCpus(options.cpu, memoryBytes);
  return {
    maxRetries: 0,
    timeout: { seconds: options.taskTimeout },
    executionEnvironment: "EXECUTION_ENVIRONMENT_GEN2",
    ...(options.cloudRunServiceAccount === undefined ? {} : { serviceAccount: options.cloudRunServiceAccount }),
    containers: [
      {
        name: "merge",
        image: requireOptions(options).image,
        args: ["merge"],
        env: buildEnvironment(launch, vcpu, environment),
        resources: { limits: { cpu: `${vcpu}`, memory: `${memoryBytes / MiB}Mi` } },
      },
    ],
  };
}

/** The memory of a task in bytes: its ceiling in whole MiB, and at least the smallest that Cloud Run has. */
export function memoryOf({ ceilingBytes }: Pick<Launch, "ceilingBytes">): number {
  return Math.max(cloudRunMemory.leastBytes, Math.ceil(ceilingBytes / MiB) * MiB);
}

function buildEnvironment(launch: Launch, vcpu: number, environment: WorkerEnvironment): EnvVar[] {
  const values: Record<string, string> = {
    ...environment,
    WIDEMERGE_RUN: launch.run,
    ...placeVariables(launch),
    WIDEMERGE_PAIRS: launch.tasks.map(({ pair }) => pair).join(","),
    WIDEMERGE_MEMORY_CEILING: printSize(launch.ceilingBytes),
    POLARS_MAX_THREADS: `${vcpu}`,
  };
  return Object.entries(values)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => ({ name, value }));
}
