import type { Machine } from "./machine.ts";
import { renderTable, renderVerdicts, toMebibytes } from "./report.ts";
import type { Verdict } from "./targets.ts";

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

const mebibyte = 2 ** 20;

/** The results as a Markdown page. */
export function renderFanout(results: FanoutResults): string {
  const { machine, walls, many, kills } = results;
  return [
    "# Benchmark, runs of many pairs",
    "",
    `Measured on ${results.date}: ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}. ${results.pairs} pairs of 41 tables from real rates, a fifth of them misaligned, \`--backend local\`. Memory is that of the controller without its workers.`,
    "",
    "## Targets",
    "",
    ...renderVerdicts(judge(results)),
    "",
    ...renderTable(
      ["pairs at a time", "wall time", "slowest pair", "first start to last end", "before and after", "controller"],
      walls.map(({ parallelism, seconds, slowest, working, controllerBytes }) => [
        String(parallelism),
        `${seconds.toFixed(2)} s`,
        `${slowest.toFixed(2)} s`,
        `${working.toFixed(2)} s`,
        `${(seconds - working).toFixed(2)} s`,
        toMebibytes(controllerBytes),
      ]),
    ),
    "",
    ...renderTable(
      ["pairs already done", "wall time", "controller"],
      many.map(({ pairs, seconds, controllerBytes }) => [
        String(pairs),
        `${seconds.toFixed(2)} s`,
        toMebibytes(controllerBytes),
      ]),
    ),
    "",
    `Controllers were killed with SIGKILL ${kills.count} times in ${kills.runs} runs, at random moments 0.4 to 2.4 s after each start. Then each run could finish: ${kills.failed} failed. A pair is lost if its output differs from that of an undisturbed run (size, CRC32C), and doubled if two workers merged it.`,
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
      `${overhead.toFixed(2)} s`,
      overhead <= 2,
    ),
    verdict("controller: memory", "≤ 120 MiB", toMebibytes(most), most <= 120 * mebibyte),
    verdict(
      `${thousand?.pairs} pairs already done`,
      "≤ 60 s",
      `${thousand?.seconds.toFixed(2)} s`,
      (thousand?.seconds ?? 61) <= 60,
    ),
    verdict(
      `memory, ${thousand?.pairs} pairs against ${few?.pairs}`,
      "≤ 1.2 ×",
      `${growth.toFixed(2)} ×`,
      growth <= 1.2,
    ),
    verdict(`lost or doubled pairs, ${kills.count} kills`, "0", String(bad), bad === 0),
  ];
}

function verdict(target: string, limit: string, measured: string, passed: boolean): Verdict {
  return { target, limit, measured, passed };
}
