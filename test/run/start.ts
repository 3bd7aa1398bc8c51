/** A controller in its own process, to be killed. Arguments: its stand as JSON, and the seconds that a worker takes. */
import { runPairs } from "../../src/run/controller.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { makeLocalBackend } from "../support/local-backend.ts";
import { GiB, type Stand } from "../support/run.ts";

const [text = "", seconds = "0"] = process.argv.slice(2);
const stand: Stand = JSON.parse(text);
const { exitCode } = await runPairs({
  store: createLocalStore(false),
  machine: makeLocalBackend(stand, {}, Number(seconds)),
  backend: "local",
  capacity: { ceilingBytes: GiB, workers: 3, memoryBytes: 64 * GiB, spot: false },
  firstPause: 1,
  settings: stand.settings,
  pairs: stand.pairs,
  wanted: "run",
  widemerge: "0.0.0",
  signal: new AbortController().signal,
});
process.exitCode = exitCode;
