/** A controller that is killed at any moment and started again finishes the run, and starts no pair twice. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ExitCode } from "../../src/model/exit-code.ts";
import { scratchFolder } from "../support/folder.ts";
import { makeStand, type Stand } from "../support/run.ts";

const folder = await scratchFolder("kill-controller");
const program = new URL("./start.ts", import.meta.url).pathname;
const pairs = ["ok1", "ok2", "once1", "ok3", "ok4", "once2", "ok5", "ok6"];
/** Controllers that are killed before the last one finishes, and the seeds of the moments. */
const kills = 4;
const seeds = [1, 2, 3, 4];

/** Pseudo-random numbers from 0 to 1 (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function control(stand: Stand, killAfter?: number): Promise<number | null> {
  const args = ["--no-warnings", program, JSON.stringify(stand), "0.1"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  if (killAfter !== undefined) {
    await Promise.race([setTimeout(killAfter), ended]);
    child.kill("SIGKILL");
  }
  const [code] = await ended;
  return code;
}

describe("a controller killed at random moments", { skip: !existsSync("/proc"), concurrency: 2 }, () => {
  for (const seed of seeds)
    it(`seed ${seed}`, async () => {
      const stand = makeStand(mkdtempSync(join(folder, "stand-")), pairs);
      const random = createRandom(seed);
      for (let kill = 0; kill < kills; kill += 1) await control(stand, 150 + random() * 350);
      assert.equal(await control(stand), ExitCode.done);
      const lines = readFileSync(stand.journal, "utf8").trim().split("\n");
      for (const pair of pairs) {
        assert.equal(lines.filter((line) => line === `publish ${pair}`).length, 1, lines.join("\n"));
        const starts = lines.filter((line) => line.startsWith(`start ${pair} `)).length;
        assert.equal(starts, pair.startsWith("once") ? 2 : 1, lines.join("\n"));
      }
      checkAccounts(stand);
    });
});

/** Every start is in the documents of the run, with its end. */
function checkAccounts(stand: Stand): void {
  const launches = join(stand.output, "runs", "run", "launches");
  const statuses = readdirSync(launches).flatMap(
    (name) => JSON.parse(readFileSync(join(launches, name), "utf8")).statuses,
  );
  const attempts = statuses.flatMap(({ attempts }) => attempts);
  assert.equal(attempts.length, pairs.length + 2);
  for (const attempt of attempts) assert.ok(attempt.end !== undefined, JSON.stringify(attempt));
}
