import type { Problem } from "../../model/failure.ts";
import { cloudRunMemory, cloudRunSizes } from "../../model/platform-limits.ts";
import type { Launch } from "../../model/run.ts";
import { isGcsPath } from "../../model/storage-path.ts";
import { formatMemory, formatNumber, GiB, parseBytes } from "../../model/units.ts";
import type { WorkerEnvironment } from "../backend.ts";
import { nameJob } from "./names.ts";
import type { CloudRunOptions } from "./options.ts";

/** Characters that the value of one variable may have. */
const valueLimit = 32_768;
const taskLimit = 10_000;
const nameLimit = 63;
/** The room that a suggested ceiling leaves above a prediction. */
const roomFactor = 2;

/** Everything that would keep a launch from ever running, without any request. */
export function checkLaunch(
  launch: Launch,
  options: CloudRunOptions,
  environment: WorkerEnvironment,
  predictedBytes?: number,
): Problem[] {
  return [
    ...checkMemory(launch, predictedBytes),
    ...checkCpus(launch, options),
    ...checkLevels(launch, environment),
    ...checkTasks(launch),
    ...checkStated(options),
    ...checkPlace("input", environment.WIDEMERGE_INPUT, options),
    ...checkPlace("output", environment.WIDEMERGE_OUTPUT, options),
  ];
}

function checkMemory({ ceilingBytes }: Launch, predictedBytes: number | undefined): Problem[] {
  if (ceilingBytes <= cloudRunMemory.mostBytes) return [];
  const most = formatMemory(cloudRunMemory.mostBytes);
  const need = predictedBytes === undefined ? "" : `; this plan needs ${formatMemory(predictedBytes)}`;
  const enough = predictedBytes === undefined ? undefined : suggestCeiling(predictedBytes);
  return [
    {
      what: `a Cloud Run task has at most ${most} of memory`,
      found: `a ceiling of ${formatMemory(ceilingBytes)}${need}`,
      fix: adviseMemory(predictedBytes, enough),
    },
  ];
}

function adviseMemory(predictedBytes: number | undefined, enough: number | undefined): string {
  if (enough !== undefined) return `set --memory-ceiling to ${enough / GiB}GiB`;
  if (predictedBytes !== undefined) return "use --backend kubernetes";
  return "check what the pairs need with `widemerge run-all --dry-run` and set --memory-ceiling to that, or use --backend kubernetes";
}

/** A round ceiling in bytes with room above the prediction; undefined if Cloud Run has none so large. */
function suggestCeiling(predictedBytes: number): number | undefined {
  const sizes = [2, 4, 8, 16, 32].map((gib) => gib * GiB);
  return sizes.find((bytes) => bytes >= roomFactor * predictedBytes) ?? sizes.find((bytes) => bytes > predictedBytes);
}

function checkCpus({ ceilingBytes }: Launch, { cpu }: CloudRunOptions): Problem[] {
  if (cpu === "auto") return [];
  const size = cloudRunSizes.find(({ vcpu }) => vcpu === cpu);
  if (size !== undefined && ceilingBytes <= size.mostBytes && ceilingBytes >= size.leastBytes) return [];
  const allowed = cloudRunSizes.filter(
    ({ leastBytes, mostBytes }) => ceilingBytes >= leastBytes && ceilingBytes <= mostBytes,
  );
  if (allowed.length === 0) return [];
  const counts = allowed.map(({ vcpu }) => vcpu).join(", ");
  return [
    {
      what: "Cloud Run has no task of this size",
      found: `${cpu} vCPU with ${formatMemory(ceilingBytes)}`,
      fix: `set --cpu to auto, or to one of ${counts}`,
    },
  ];
}

/** Levels for a larger machine would make every task refuse to start. */
function checkLevels({ ceilingBytes }: Launch, environment: WorkerEnvironment): Problem[] {
  const levels = [
    { flag: "--memory-free", variable: "WIDEMERGE_MEMORY_FREE" },
    { flag: "--memory-warn", variable: "WIDEMERGE_MEMORY_WARN" },
  ];
  return levels.flatMap(({ flag, variable }) => {
    const stated = environment[variable];
    const bytes = stated === undefined ? undefined : parseBytes(stated);
    if (bytes === undefined || bytes <= ceilingBytes) return [];
    const found = `${formatMemory(bytes)}, and a ceiling of ${formatMemory(ceilingBytes)}`;
    return [{ what: `${flag} exceeds the memory of a task`, found, fix: `lower ${flag} below --memory-ceiling` }];
  });
}

function checkTasks(launch: Launch): Problem[] {
  const problems: Problem[] = [];
  const length = launch.tasks.map(({ pair }) => pair).join(",").length;
  if (launch.tasks.length === 0 || launch.tasks.length > taskLimit || length > valueLimit)
    problems.push({
      what: "the pairs do not fit into one Cloud Run job",
      found: `${formatNumber(launch.tasks.length, "pair")}, ${formatNumber(length, "character")}`,
      fix: `use 1 to ${taskLimit} pairs, with names of at most ${valueLimit} characters in total`,
    });
  if (launch.tasks.some(({ index }, place) => index !== place))
    problems.push({
      what: "the tasks of a launch are not numbered from 0",
      found: launch.tasks.map(({ index }) => index).join(","),
      fix: "report this with the run's run.json",
    });
  if (nameJob(launch).length > nameLimit)
    problems.push({
      what: `the name of the job would exceed ${nameLimit} characters`,
      found: nameJob(launch),
      fix: "choose a shorter run id",
    });
  if (launch.spot)
    problems.push({
      what: "Cloud Run has no Spot capacity",
      fix: "remove --spot, or use --backend kubernetes",
    });
  return problems;
}

/** What every launch needs, from options that were checked. */
export function requireOptions({ project, region, image }: CloudRunOptions): {
  readonly project: string;
  readonly region: string;
  readonly image: string;
} {
  if (project === undefined || region === undefined || image === undefined)
    throw new Error("a launch without a project, a region or an image was not refused");
  return { project, region, image };
}

function checkStated({ project, region, image }: CloudRunOptions): Problem[] {
  const wanted = [
    { value: project, what: "no Google Cloud project is set", name: "project" },
    { value: region, what: "no Google Cloud region is set", name: "region" },
    { value: image, what: "no container image is set", name: "image" },
  ];
  return wanted
    .filter(({ value }) => value === undefined)
    .map(({ what, name }) => ({ what, fix: `set it with --${name} or WIDEMERGE_${name.toUpperCase()}` }));
}

/** Controller and tasks must use the same place: a bucket, or a folder of this machine for an emulator on it. */
function checkPlace(name: string, place: string, { cloudRunEndpoint }: CloudRunOptions): Problem[] {
  if (isGcsPath(place) || /^(localhost|127\.0\.0\.1):/.test(cloudRunEndpoint ?? "")) return [];
  return [{ what: `a Cloud Run task cannot reach the ${name}`, found: place, fix: "use gs://bucket/folder" }];
}
