/** A neighbour in a control group: takes memory until the group's working set reaches a number of bytes, then holds it. */
import { readWorkingSet } from "../../src/memory/cgroup.ts";

const [dir = "", version = "2", bytes = "0"] = process.argv.slice(2);
const taken: Buffer[] = [];
while ((readWorkingSet(version === "1" ? 1 : 2, dir) ?? Number.MAX_VALUE) < Number(bytes))
  taken.push(Buffer.alloc(2 ** 20, 1));
process.stdout.write(String(taken.length));
setInterval(() => taken.length, 1000);
