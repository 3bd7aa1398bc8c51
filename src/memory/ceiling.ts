import type { Problem } from "../model/failure.ts";
import { stopShare } from "../model/guard.ts";
import { formatMemory, GiB } from "../model/units.ts";
import type { Limits } from "./limits.ts";

/** The levels of the working set, in bytes, at which the guard acts. */
export interface Ceiling {
  /** Never exceeded: the guard kills the child at once above it. */
  readonly ceilingBytes: number;
  /** From this level on the merge slows down. */
  readonly warnBytes: number;
  /** At this level the guard stops the merge. */
  readonly stopBytes: number;
}

export interface ResolvedCeiling {
  readonly ceiling: Ceiling;
  /** Everything that is wrong with the settings on this machine (exit code `ExitCode.input`); empty when nothing is. */
  readonly problems: readonly Problem[];
}

interface CeilingSettings {
  /** Bytes; "auto": the container's limit, or a share of the free memory. */
  readonly memoryCeiling: "auto" | number;
  readonly memoryWarn: "auto" | number;
  /** Bytes that must be free at the start. */
  readonly memoryFree: number;
}
type CeilingLimits = Pick<Limits, "memoryLimitBytes" | "memoryAvailableBytes">;

const autoMaximum = 50 * GiB;
const autoShare = 0.8;
const warnShare = 0.9;

/** Turns the memory settings into levels in bytes, given the limits in force. Pure; reports all problems at once. */
export function resolveCeiling(settings: CeilingSettings, limits: CeilingLimits): ResolvedCeiling {
  const ceilingBytes = settings.memoryCeiling === "auto" ? chooseCeiling(limits) : settings.memoryCeiling;
  const warnBytes = settings.memoryWarn === "auto" ? Math.floor(ceilingBytes * warnShare) : settings.memoryWarn;
  const ceiling = { ceilingBytes, warnBytes, stopBytes: Math.floor(ceilingBytes * stopShare) };
  const problems = [
    checkCeiling(ceiling, limits.memoryLimitBytes),
    checkWarn(ceiling),
    checkFree(settings.memoryFree, limits.memoryAvailableBytes),
  ];
  return { ceiling, problems: problems.filter((problem) => problem !== undefined) };
}

function chooseCeiling(limits: CeilingLimits): number {
  return limits.memoryLimitBytes ?? Math.min(autoMaximum, Math.floor(limits.memoryAvailableBytes * autoShare));
}

function checkCeiling({ ceilingBytes }: Ceiling, limitBytes: number | undefined): Problem | undefined {
  if (limitBytes === undefined || ceilingBytes <= limitBytes) return undefined;
  return {
    what: "memory ceiling is above the container's memory limit",
    found: `ceiling ${describe(ceilingBytes)}, limit ${describe(limitBytes)}`,
    fix: `lower --memory-ceiling to ${limitBytes}B or less (auto takes the limit), or raise the container's limit`,
  };
}

function checkWarn({ ceilingBytes, warnBytes }: Ceiling): Problem | undefined {
  if (warnBytes <= ceilingBytes) return undefined;
  return {
    what: "memory warning level is above the memory ceiling",
    found: `warning ${describe(warnBytes)}, ceiling ${describe(ceilingBytes)}`,
    fix: "lower --memory-warn below the ceiling (auto takes 90% of it), or raise --memory-ceiling",
  };
}

function checkFree(freeBytes: number, availableBytes: number): Problem | undefined {
  if (freeBytes <= availableBytes) return undefined;
  return {
    what: `too little memory is free: ${describe(freeBytes)} required by memoryFree`,
    found: `${describe(availableBytes)} available`,
    fix: "end other programs, use a larger machine or container, or require less: --memory-free 0 requires nothing",
  };
}

/** 50 GB and 50 GiB look alike, so the exact number is printed too. */
function describe(bytes: number): string {
  return `${formatMemory(bytes)} (${bytes} bytes)`;
}
