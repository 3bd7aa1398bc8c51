/** The parts that the pages of all sections share. */
import { formatCount, MiB } from "../src/model/units.ts";
import type { Machine } from "./machine.ts";

/** A target of the project, and the measured value. */
export interface Verdict {
  readonly target: string;
  readonly limit: string;
  readonly measured: string;
  readonly passed: boolean;
}

export function verdict(target: string, limit: string, measured: string, passed: boolean): Verdict {
  return { target, limit, measured, passed };
}

/** The targets and the measured values as a section; nothing without targets. */
export function renderVerdicts(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return [];
  const rows = verdicts.map(({ target, limit, measured, passed }) => [
    target,
    limit,
    measured,
    passed ? "pass" : "**fail**",
  ]);
  return ["## Targets", "", ...renderTable(["target", "limit", "measured", ""], rows), ""];
}

/** "Measured on 2026-11-21: AMD EPYC, 2 cores, Linux 6.18 x64, Node v26.10.0." */
export function describeSetting(date: string, { cpu, cores, system, node }: Machine): string {
  return `Measured on ${date}: ${cpu}, ${cores} cores, ${system}, Node ${node}.`;
}

/** A Markdown table. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((cell, index) => Math.max(cell.length, ...rows.map((row) => row[index]?.length ?? 0), 3));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, index) => (cells[index] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)];
}

/** Bytes in whole MiB. */
export function toMebibytes(bytes: number): string {
  return `${formatCount(Math.round(bytes / MiB))} MiB`;
}

/** Seconds with two decimals. */
export function toSeconds(seconds: number): string {
  return `${seconds.toFixed(2)} s`;
}

/** A quotient with two decimals. */
export function toTimes(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}
