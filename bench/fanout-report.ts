import { formatNumber, MiB } from "../src/model/units.ts";
import type { Machine } from "./machine.ts";
import {
  describeSetting,
  renderTable,
  renderVerdicts,
  toMebibytes,
  toSeconds,
  toTimes,
  type Verdict,
  verdict,
} from "./page.ts";

/** The time of a run, compared with the times of its pairs; seconds and bytes. */
export interface Wall {
  readonly parallelism: number;
  readonly seconds: number;
  /** The slowest pair's own time. */
  readonly slowest: number;
  /** From the first worker's start to the last one's end. */
  readonly working: number;
  readonly controllerBytes: number;
}

export interface Manyfold {
  readonly pairs: number;
  readonly seconds: number;
  readonly controllerBytes: number;
}

export interface FanoutResults {
  readonly date: string;
  readonly machine: Machine;
  readonly pairs: number;
  readonly walls: readonly Wall[];
  readonly many: readonly Manyfold[];
  readonly kills: {
    readonly count: number;
    readonly runs: number;
    /** Runs that did not end with 0 after the last kill. */
    readonly failed: number;
    /** Pairs whose output differs from that of an undisturbed run. */
    readonly lost: number;
    /** Pairs that were merged more than once. */
    readonly doubled: number;
  };
}

/** The results as a Markdown page. */
export function renderFanout(results: FanoutResults): string {
  const { machine, walls, many, kills } = results;
  return [
    "# Benchmark, runs of many pairs",
    "",
    `${describeSetting(results.date, machine)} ${results.pairs} pairs of 41 tables from real rates, a fifth of them misaligned, \`--backend local\`. Memory is the peak resident memory of the controller, which also draws the reports, without its workers.`,
    "",
    ...renderVerdicts(judge(results)),
    ...renderTable(
      ["pairs at a time", "wall time", "slowest pair", "first start to last end", "before and after", "controller"],
      walls.map(({ parallelism, seconds, slowest, working, controllerBytes }) => [
        String(parallelism),
        toSeconds(seconds),
        toSeconds(slowest),
        toSeconds(working),
        toSeconds(seconds - working),
        toMebibytes(controllerBytes),
      ]),
    ),
    "",
    ...renderTable(
      ["pairs without data", "wall time", "controller"],
      many.map(({ pairs, seconds, controllerBytes }) => [
        String(pairs),
        toSeconds(seconds),
        toMebibytes(controllerBytes),
      ]),
    ),
    "",
    `Controllers were killed with SIGKILL ${formatNumber(kills.count, "time")} in ${formatNumber(kills.runs, "run")}, at random moments 0.4 to 2.4 s after each start. Then each run could finish: ${kills.failed} failed. A pair is lost if its output differs from that of an undisturbed run (size, CRC32C), and doubled if two workers merged it.`,
    "",
  ].join("\n");
}

function judge({ walls, many, kills }: FanoutResults): Verdict[] {
  const [all] = walls;
  const overhead = (all?.seconds ?? Number.NaN) - (all?.slowest ?? Number.NaN);
  const most = Math.max(...walls.map(({ controllerBytes }) => controllerBytes));
  const [few, thousand] = many;
  const growth = (thousand?.controllerBytes ?? Number.NaN) / (few?.controllerBytes ?? Number.NaN);
  const bad = kills.lost + kills.doubled + kills.failed;
  return [
    verdict(
      `controller: wall time minus the slowest pair, ${all?.parallelism} at a time`,
      "≤ 2 s",
      toSeconds(overhead),
      overhead <= 2,
    ),
    verdict("controller: memory", "≤ 120 MiB", toMebibytes(most), most <= 120 * MiB),
    verdict(
      `${thousand?.pairs} pairs without data`,
      "≤ 60 s",
      toSeconds(thousand?.seconds ?? Number.NaN),
      (thousand?.seconds ?? Number.NaN) <= 60,
    ),
    verdict(`memory, ${thousand?.pairs} pairs against ${few?.pairs}`, "≤ 1.2 ×", toTimes(growth), growth <= 1.2),
    verdict(`lost or doubled pairs, ${kills.count} kills`, "0", String(bad), bad === 0),
  ];
}
