import type { QuietResult } from "../test/support/quiet.ts";
import type { Machine } from "./machine.ts";
import { describeSetting, renderTable, renderVerdicts, type Verdict, verdict } from "./page.ts";
import { median } from "./statistics.ts";

export interface QuietResults {
  readonly date: string;
  readonly machine: Machine;
  readonly pairs: number;
  /** Absent where no cluster was running. */
  readonly kubernetes?: QuietResult;
  readonly cloudrun: QuietResult;
}

/** The results as a Markdown page. */
export function renderQuiet(results: QuietResults): string {
  const { machine, date, pairs, kubernetes, cloudrun } = results;
  const rows = [
    ...(kubernetes === undefined ? [] : [describe("Kubernetes", kubernetes)]),
    describe("Cloud Run (test double of the service)", cloudrun),
  ];
  return [
    "# Benchmark, runs in which nothing happens",
    "",
    `${describeSetting(date, machine)} ${pairs} workers wait, all at the same time, and the controller watches them. Then some of them end, one after the other: the delay is the time from the end of a worker, as the platform shows it, to the controller's view of the run.`,
    "",
    ...renderVerdicts(judge(results)),
    ...renderTable(
      ["backend", "measured for", "requests", "requests a minute", "delay, median", "delay, longest"],
      rows,
    ),
    "",
  ].join("\n");
}

function describe(name: string, { seconds, requests, perMinute, delays }: QuietResult): string[] {
  const list = Object.entries(requests).map(([request, count]) => `${count} × ${request}`);
  return [
    name,
    `${Math.round(seconds / 60)} min`,
    list.join(", "),
    perMinute.toFixed(1),
    `${median(delays).toFixed(1)} s`,
    `${Math.max(...delays).toFixed(1)} s`,
  ];
}

function judge({ kubernetes, cloudrun }: QuietResults): Verdict[] {
  return [
    ...(kubernetes === undefined ? [] : judgeOne("Kubernetes", kubernetes, { perMinute: 12, seconds: 2 })),
    ...judgeOne("Cloud Run", cloudrun, { perMinute: 8, seconds: 10 }),
  ];
}

function judgeOne(
  name: string,
  { perMinute, delays }: QuietResult,
  limit: { readonly perMinute: number; readonly seconds: number },
): Verdict[] {
  const longest = Math.max(...delays);
  return [
    verdict(`${name}: requests a minute`, `≤ ${limit.perMinute}`, perMinute.toFixed(1), perMinute <= limit.perMinute),
    verdict(
      `${name}: time until a change is seen`,
      `≤ ${limit.seconds} s`,
      `${longest.toFixed(1)} s`,
      longest <= limit.seconds,
    ),
  ];
}
