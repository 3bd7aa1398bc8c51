import type { Alternative, CostLine, PriceList, RightSize } from "../model/cost.ts";
import type { RunView } from "../model/run.ts";
import { formatBytes, formatCount, formatMemory, formatSeconds } from "../model/units.ts";
import { priceLine, sumLines } from "./lines.ts";
import { autopilot, autopilotSpot, chargedSeconds, cloudRun, compute, priceUse, type Rates } from "./rates.ts";
import { clusterLine } from "./run-cost.ts";
import { cloudRunMost, fitMachine, fitSize, type Size } from "./sizes.ts";
import { listMerges, type PairUse } from "./work.ts";

/** The work of a run that ended well: its pairs, the size they ran in, and how many ran at once. */
interface Work {
  readonly uses: readonly PairUse[];
  readonly size: Size;
  readonly seconds: number;
  readonly wallSeconds: number;
  readonly list: PriceList;
}

/**
 * What the same pairs would cost done another way: the same bytes, the same seconds a pair, every pair started once.
 * Storage of inputs and outputs is the same in each and left out. Empty while no pair has ended well.
 */
export function findAlternatives(view: RunView, list: PriceList, right: RightSize | undefined): Alternative[] {
  const uses = listMerges(view);
  if (uses.length === 0) return [];
  const seconds = uses.reduce((sum, use) => sum + use.seconds, 0);
  const atOnce = Math.max(1, ...view.record.handles.map((handle) => handle.launch.parallelism));
  const size = {
    vcpu: Math.max(...uses.map((use) => use.vcpu)),
    memoryBytes: Math.max(...uses.map((use) => use.memoryBytes)),
  };
  const longest = Math.max(...uses.map((use) => use.seconds));
  const work = { uses, size, seconds, wallSeconds: Math.max(longest, seconds / atOnce), list };
  return [
    onMachine(work),
    inBigQuery(work),
    onCloudRun(work, right),
    onAutopilot(work, autopilot),
    onAutopilot(work, autopilotSpot),
  ];
}

function onMachine(work: Work): Alternative {
  const name = "One VM, one pair after the other";
  const machine = fitMachine(work.size);
  if (machine === undefined) return { name, basis: `No N2 machine has ${describeSize(work.size)}.`, lines: [] };
  const lines = priceUse({ ...machine.size, seconds: work.seconds }, compute, work.list);
  const basis = `${machine.name} (${describeSize(machine.size)}) for ${formatSeconds(work.seconds)}; its disk is not counted.`;
  return { name, basis, lines, estimated: sumLines(lines), wallSeconds: work.seconds };
}

function inBigQuery(work: Work): Alternative {
  const bytes = work.uses.reduce((sum, use) => sum + use.inputBytes, 0);
  const lines = [priceLine("bigqueryScan", bytes / 2 ** 40, `${formatBytes(bytes)} scanned once`, work.list)];
  const basis = `Every input byte scanned once, ${formatBytes(bytes)}; BigQuery counts bytes before compression, which are more. Export of the result and storage of the tables are not counted.`;
  return { name: "BigQuery, on demand", basis, lines, estimated: sumLines(lines) };
}

function onCloudRun(work: Work, right: RightSize | undefined): Alternative {
  const asked = fitSize("cloudrun", work.size);
  const size = asked ?? (right === undefined ? undefined : fitSize("cloudrun", right.recommended));
  const tooLarge = `${describeSize(work.size)} are more than a Cloud Run task can have (${describeSize(cloudRunMost)})`;
  if (size === undefined) return { name: cloudRun.name, basis: `Not possible: ${tooLarge}.`, lines: [] };
  const note = asked === undefined ? `${tooLarge}: taken with what the next run should ask for. ` : "";
  return fannedOut(work, cloudRun, size, note, []);
}

function onAutopilot(work: Work, rates: Rates): Alternative {
  const size = fitSize("kubernetes", work.size) ?? work.size;
  const note = rates === autopilotSpot ? "Pods that are taken away and started again are not counted. " : "";
  return fannedOut(work, rates, size, note, [clusterLine(work.wallSeconds, work.list)]);
}

/** Lines for all pairs together: each has the same size. */
function fannedOut(work: Work, rates: Rates, size: Size, note: string, extra: readonly CostLine[]): Alternative {
  const seconds = work.uses.reduce((sum, use) => sum + chargedSeconds(use.seconds, rates), 0);
  const lines = [...priceUse({ ...size, seconds }, rates, work.list), ...extra];
  const pairs = formatCount(work.uses.length);
  const basis = `${note}${pairs} pair${work.uses.length === 1 ? "" : "s"} with ${describeSize(size)} each, ${formatSeconds(seconds)} in all.`;
  return { name: rates.name, basis, lines, estimated: sumLines(lines), wallSeconds: work.wallSeconds };
}

function describeSize(size: Size): string {
  return `${formatCount(size.vcpu)} vCPU and ${formatMemory(size.memoryBytes)}`;
}
