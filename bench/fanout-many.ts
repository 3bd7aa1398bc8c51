/** A run of many pairs whose workers publish a file that is ready. Arguments: folder, number of pairs. */
import { loadPrices } from "../src/app/prices.ts";
import { runPairs } from "../src/run/controller.ts";
import { createLocalStore } from "../src/store/local/store.ts";
import { makeLocalBackend } from "../test/support/local-backend.ts";
import { GiB, makeStand } from "../test/support/run.ts";

const [folder = "", count = "0"] = process.argv.slice(2);
const pairs = Array.from({ length: Number(count) }, (_, index) => `ok${index}`);
const prices = await loadPrices({});
const stand = makeStand(folder, pairs);
const { exitCode } = await runPairs({
  store: createLocalStore(false),
  machine: makeLocalBackend(stand),
  backend: "local",
  capacity: { ceilingBytes: GiB, workers: 8, memoryBytes: 64 * GiB, spot: false },
  settings: stand.settings,
  pairs,
  wanted: "bench",
  widemerge: "0.0.0",
  documents: async (view) => (await import("../src/report/documents.ts")).renderDocuments(view, prices),
  signal: new AbortController().signal,
});
process.exitCode = exitCode;
