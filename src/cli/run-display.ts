import { createLogUpdate } from "log-update";
import { isTextLog, log, logAbout } from "../app/log.ts";
import { costOfRun } from "../cost/run-cost.ts";
import type { PriceList } from "../model/cost.ts";
import type { PairOutcome, RunView } from "../model/run.ts";
import { describeRun } from "../report/text/run.ts";
import { joinLines, printNotices } from "./print.ts";

/** Shows the progress of a run on stderr: a table that is redrawn on a terminal, a log line for every change elsewhere. */
export interface RunDisplay {
  view(view: RunView): void;
  notice(text: string): void;
  /** Removes the table. */
  end(): void;
}

export function showRun(prices: PriceList, { quiet }: { readonly quiet: boolean }): RunDisplay {
  return process.stderr.isTTY && isTextLog() && !quiet ? new RunTable(prices) : new RunLog();
}

/** Milliseconds between two drawings: pairs change faster than anybody can read. */
const drawInterval = 250;

class RunTable implements RunDisplay {
  readonly #draw = createLogUpdate(process.stderr);
  readonly #prices: PriceList;
  readonly #timer: NodeJS.Timeout;
  #view: RunView | undefined;

  constructor(prices: PriceList) {
    this.#prices = prices;
    this.#timer = setInterval(() => this.#redraw(), drawInterval).unref();
  }

  view(view: RunView): void {
    this.#view = view;
  }

  notice(text: string): void {
    this.#draw.clear();
    printNotices([text]);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#draw.clear();
    this.#draw.done();
  }

  /** Times move on even when nothing else changes. */
  #redraw(): void {
    if (this.#view === undefined) return;
    const view = { ...this.#view, at: new Date().toISOString() };
    this.#draw(joinLines(describeRun(view, costOfRun(view, this.#prices))));
  }
}

class RunLog implements RunDisplay {
  /** The last line logged about each pair. */
  readonly #logged = new Map<string, string>();

  view(view: RunView): void {
    logAbout({ run: view.record.run });
    for (const outcome of view.pairs) {
      const text = describeChange(outcome);
      if (this.#logged.get(outcome.pair) === text) continue;
      this.#logged.set(outcome.pair, text);
      // Every pair waits at the beginning.
      if (text === "waiting") continue;
      const troubled = outcome.why !== undefined && outcome.state !== "done before";
      log(
        outcome.state === "failed" ? "error" : troubled ? "warn" : "info",
        text,
        { state: outcome.state, attempt: outcome.attempts.at(-1)?.id },
        outcome.pair,
      );
    }
  }

  notice(text: string): void {
    log("warn", text);
  }

  end(): void {}
}

function describeChange({ state, attempts, why }: PairOutcome): string {
  const again = attempts.length > 1 ? `, attempt ${attempts.length}` : "";
  return why === undefined ? `${state}${again}` : `${state}${again}: ${why}`;
}
