import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultPairs } from "../src/sample/pairs.ts";
import { openQuietCluster } from "../test/cluster/quiet.ts";
import { whySkipped } from "../test/cluster/support.ts";
import { measureQuiet, type QuietPlatform, type QuietResult } from "../test/support/quiet.ts";
import { openQuietCloudRun } from "../test/support/quiet-cloudrun.ts";
import { describeMachine } from "./machine.ts";
import { renderQuiet } from "./quiet-report.ts";
import { publish, say, today } from "./workspace.ts";

/**
 * The section of the benchmark on runs in which nothing happens: how often the controller asks, and how soon it sees a
 * change. Variables: MINUTES (10) to count for. Kubernetes is measured inside scripts/cluster.sh only.
 */

const seconds = 60 * Number(process.env.MINUTES ?? 10);
const folder = mkdtempSync(join(tmpdir(), "widemerge-quiet-"));
try {
  const kubernetes = await measureCluster();
  const cloudrun = await measure(await openQuietCloudRun(folder, defaultPairs));
  const results = {
    date: today,
    machine: describeMachine(folder),
    pairs: defaultPairs.length,
    ...(kubernetes === undefined ? {} : { kubernetes }),
    cloudrun,
  };
  publish("small", "quiet", renderQuiet(results), results);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measureCluster(): Promise<QuietResult | undefined> {
  const skipped = whySkipped();
  if (skipped === false) return measure(await openQuietCluster(defaultPairs));
  say("SKIPPED: Kubernetes, as no cluster of scripts/cluster.sh is running");
  return undefined;
}

async function measure(platform: QuietPlatform & { close(): Promise<void> | void }): Promise<QuietResult> {
  say(`${platform.machine.name}: ${defaultPairs.length} workers, ${seconds} s ...`);
  try {
    const result = await measureQuiet(platform, { seconds, settleSeconds: 45, changes: 5 });
    say(`${platform.machine.name}: ${result.perMinute.toFixed(1)} requests a minute`);
    return result;
  } finally {
    await platform.close();
  }
}
