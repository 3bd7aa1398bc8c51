import { fork } from "node:child_process";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import type { Rendered, RenderOrder } from "./render.ts";

/**
 * The documents of a run, drawn in a process of its own. @throws Failure (unexpected) when that could not be done.
 */
export function renderApart(order: RenderOrder): Promise<ReadonlyMap<string, string>> {
  const child = fork(new URL("./render.ts", import.meta.url).pathname, { execArgv: ["--no-warnings"] });
  return new Promise((resolve, reject) => {
    child.once("message", (documents: Rendered) => resolve(new Map(documents)));
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const fix = "write them with `widemerge report`; the outputs are not concerned";
      const found = `${signal ?? `exit ${code}`}`;
      reject(new Failure(ExitCode.unexpected, [{ what: "the reports could not be drawn", found, fix }]));
    });
    child.send(order);
  });
}
