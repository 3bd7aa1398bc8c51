import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultPairs } from "../src/sample/pairs.ts";
import { openQuietCluster } from "../test/cluster/quiet.ts";
import { whySkipped } from "../test/cluster/support.ts";
import { measureQuiet, type QuietPlatform, type QuietResult } from "../test/support/quiet.ts";
import { openQuietCloudRun } from "../test/support/quiet-cloudrun.ts";
import { describeMachine } from "./machine.ts";
import { type QuietResults, renderQuiet } from "./quiet-report.ts";

/**
 * The benchmark's section on runs in which nothing happens: how often the controller asks, and how soon it sees a change.
 * Variables: MINUTES (10) to count for. Kubernetes is measured if it runs inside scripts/cluster.sh.
 */

const results = fileURLToPath(new URL("results/", import.meta.url));
const seconds = 60 * Number(process.env.MINUTES ?? 10);
const options = { seconds, settleSeconds: 45, changes: Number(process.env.CHANGES ?? 5) };

const skipped = whySkipped();
if (skipped !== false) say(`SKIPPED: Kubernetes. Run scripts/cluster.sh run env PARTS=quiet scripts/bench.sh`);
const kubernetes = skipped === false ? await measure(await openQuietCluster(defaultPairs)) : undefined;
const folder = mkdtempSync(join(tmpdir(), "widemerge-quiet-"));
const cloudrun = await measure(await openQuietCloudRun(folder, defaultPairs));
rmSync(folder, { recursive: true, force: true });
publish({
  date: new Date().toISOString().slice(0, 10),
  machine: describeMachine(tmpdir()),
  pairs: defaultPairs.length,
  ...(kubernetes === undefined ? {} : { kubernetes }),
  cloudrun,
});

async function measure(platform: QuietPlatform & { close(): Promise<void> | void }): Promise<QuietResult> {
  say(`${platform.machine.name}: ${defaultPairs.length} workers, ${seconds} s ...`);
  try {
    const result = await measureQuiet(platform, options);
    say(`${platform.machine.name}: ${result.perMinute.toFixed(1)} requests a minute`);
    return result;
  } finally {
    await platform.close();
  }
}

function publish(found: QuietResults): void {
  const page = renderQuiet(found);
  process.stdout.write(page);
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, "quiet.md"), page);
  writeFileSync(join(results, "quiet.json"), `${JSON.stringify(found, null, 2)}\n`);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
