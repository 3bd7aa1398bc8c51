/** A thread that parses and checks the footer that it is given. */
import { parentPort, workerData } from "node:worker_threads";
import { checkFooter, checkReadable } from "../../src/parquet/footer-check.ts";
import { parseFooter } from "../../src/parquet/footer-parser.ts";

function judge(bytes: Uint8Array): string {
  try {
    const footer = parseFooter(bytes);
    checkReadable(footer);
    for (const problem of checkFooter(footer, 100)) if (problem === "") return "an empty problem";
    return "parsed";
  } catch (error) {
    return error instanceof Error ? error.constructor.name : String(error);
  }
}

parentPort?.postMessage(judge(workerData));
