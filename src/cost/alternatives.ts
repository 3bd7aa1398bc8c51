import type { Alternative, CostLine, PriceList, RightSize } from "../model/cost.ts";
import { largest } from "../model/numbers.ts";
import type { RunView } from "../model/run.ts";
import { formatBytes, formatCount, formatMemory, formatNumber, formatSeconds } from "../model/units.ts";
import {
  autopilot,
  autopilotSpot,
  chargedSeconds,
  cloudRun,
  computeEngine,
  priceCompute,
  type Rates,
} from "./compute.ts";
import { priceCluster, priceLine, sumLines } from "./cost-lines.ts";
import { fitMachine, fitSize, largestCloudRunTask, type Size } from "./machine-sizes.ts";
import { largestRequest, listMerges, type Merge } from "./merges.ts";

/** The merges of a run, the largest size they requested, and their time: one after another, and as parallel as they were. */
interface Work {
  readonly merges: readonly Merge[];
  readonly size: Size;
  readonly seconds: number;
  readonly wallSeconds: number;
  readonly list: PriceList;
}

/**
 * What the same merges would cost elsewhere: the same bytes, the same seconds per pair, every pair started once. Storage of
 * inputs and outputs is left out because it is the same everywhere. Empty while no pair has ended well.
 */
export function findAlternatives(view: RunView, list: PriceList, right: RightSize | undefined): Alternative[] {
  const merges = listMerges(view);
  if (merges.length === 0) return [];
  const seconds = merges.reduce((sum, merge) => sum + merge.seconds, 0);
  const parallelism = Math.max(1, largest(view.record.handles.map((handle) => handle.launch.parallelism)));
  const longest = largest(merges.map((merge) => merge.seconds));
  const wallSeconds = Math.max(longest, seconds / parallelism);
  const work = { merges, size: largestRequest(merges), seconds, wallSeconds, list };
  return [
    onMachine(work),
    inBigQuery(work),
    onCloudRun(work, right),
    onAutopilot(work, autopilot),
    onAutopilot(work, autopilotSpot),
  ];
}

function onMachine(work: Work): Alternative {
  const name = "One VM, one pair after another";
  const machine = fitMachine(work.size);
  if (machine === undefined) return { name, basis: `No N2 machine has ${describeSize(work.size)}.`, lines: [] };
  const lines = priceCompute({ ...machine.size, seconds: work.seconds }, computeEngine, work.list);
  const basis = `${machine.name} (${describeSize(machine.size)}) for ${formatSeconds(work.seconds)}. Its disk is not included.`;
  return { name, basis, lines, estimated: sumLines(lines), wallSeconds: work.seconds };
}

function inBigQuery(work: Work): Alternative {
  const bytes = work.merges.reduce((sum, merge) => sum + merge.inputBytes, 0);
  const lines = [priceLine("bigqueryScan", bytes / 2 ** 40, `${formatBytes(bytes)} scanned once`, work.list)];
  const basis = `Scans every input byte once: ${formatBytes(bytes)}. BigQuery counts bytes before compression, so it charges more. The export of the result and the storage of the tables are not included.`;
  return { name: "BigQuery, on demand", basis, lines, estimated: sumLines(lines) };
}

function onCloudRun(work: Work, right: RightSize | undefined): Alternative {
  const asRequested = fitSize("cloudrun", work.size);
  const size = asRequested ?? (right === undefined ? undefined : fitSize("cloudrun", right.recommended));
  const tooLarge = `${describeSize(work.size)} exceed the largest Cloud Run task (${describeSize(largestCloudRunTask)})`;
  if (size === undefined) return { name: cloudRun.name, basis: `Not possible: ${tooLarge}.`, lines: [] };
  const note = asRequested === undefined ? `${tooLarge}; with the recommended request instead: ` : "";
  return onService(work, cloudRun, size, note, []);
}

function onAutopilot(work: Work, rates: Rates): Alternative {
  const size = fitSize("kubernetes", work.size) ?? work.size;
  const note = rates === autopilotSpot ? "Without restarts after preemption: " : "";
  return onService(work, rates, size, note, [priceCluster(work.wallSeconds, work.list)]);
}

/** All pairs on one service, each with the same size. */
function onService(work: Work, rates: Rates, size: Size, note: string, extra: readonly CostLine[]): Alternative {
  const seconds = work.merges.reduce((sum, merge) => sum + chargedSeconds(merge.seconds, rates), 0);
  const lines = [...priceCompute({ ...size, seconds }, rates, work.list), ...extra];
  const basis = `${note}${formatNumber(work.merges.length, "pair")} with ${describeSize(size)} each, charged for ${formatSeconds(seconds)} in total.`;
  return { name: rates.name, basis, lines, estimated: sumLines(lines), wallSeconds: work.wallSeconds };
}

function describeSize(size: Size): string {
  return `${formatCount(size.vcpu)} vCPU and ${formatMemory(size.memoryBytes)}`;
}
