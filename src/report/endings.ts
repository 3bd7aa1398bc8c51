import type { Cause, Ending } from "../model/ending.ts";
import type { RunView } from "../model/run.ts";
import { type Hue, hue } from "./charts/hue.ts";

/** How an attempt of the report's run ended, by the attempt's id. The documents have only the word for people. */
export type Endings = (attempt: string) => Ending;

/** @throws Error for an attempt that the run does not have. */
export function indexEndings(view: RunView): Endings {
  const attempts = view.pairs.flatMap((pair) => pair.attempts);
  const endings = new Map(attempts.map(({ id, ending }) => [id, ending]));
  return (attempt) => {
    const ending = endings.get(attempt);
    if (ending === undefined) throw new Error(`run ${view.record.run} has no attempt ${attempt}`);
    return ending;
  };
}

const hueOfCause: Readonly<Record<Cause, Hue>> = {
  memory: hue.bad,
  disruption: hue.warn,
  input: hue.violet,
  transient: hue.other,
  verification: hue.other,
  usage: hue.other,
  unexpected: hue.other,
};

/** The colour of an attempt in every picture. */
export function hueOf(ending: Ending): Hue {
  if (ending.kind === "failed") return hueOfCause[ending.cause];
  return ending.kind === "done" ? hue.good : hue.info;
}
