/** Runs inside a control group: supervises the test child without sampling, and prints what came of it. */
import { readLimits } from "../../src/memory/limits.ts";
import { runChild } from "./start.ts";

const [act = "", everyMs = "100"] = process.argv.slice(2);
const limits = readLimits();
const ceilingMebibytes = (limits.memoryLimitBytes ?? 0) / 2 ** 20;
const { end } = await runChild(act, { limits, sampleEveryMs: Number(everyMs) }, ceilingMebibytes);
process.stdout.write(JSON.stringify({ limits, end }));
