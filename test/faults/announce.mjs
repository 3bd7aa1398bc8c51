/**
 * Preloaded into the merge (node --import): says on stderr which stage begins and which file operation is about to happen or has
 * just happened, and waits a moment at the one that ANNOUNCE_HOLD names, so that a test can strike exactly there.
 */
import { writeSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const hold = process.env.ANNOUNCE_HOLD;
const holdMs = Number(process.env.ANNOUNCE_HOLD_MS ?? 600);
/** Bytes to take and keep once the hold is over. */
const growBytes = Number(process.env.ANNOUNCE_GROW ?? 0);
const step16 = 16 * 2 ** 20;
globalThis.grown = [];

function announce(step) {
  if (step !== hold) return;
  writeSync(2, `@at ${step} ${process.pid}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, holdMs);
  for (let taken = 0; taken < growBytes; taken += step16) globalThis.grown.push(Buffer.alloc(step16, 1));
}

if (process.send !== undefined) {
  const send = process.send.bind(process);
  process.send = (event, ...rest) => {
    if (event.type === "stage") announce(event.stage);
    if (event.type === "progress" && event.stage === "merge") announce(`table ${event.tablesDone}`);
    return send(event, ...rest);
  };
  for (const name of ["link", "rename", "rm", "writeFile"]) {
    const original = promises[name];
    let calls = 0;
    promises[name] = async (...args) => {
      calls += 1;
      const call = `${name} ${calls}`;
      announce(`before ${call}`);
      const value = await original(...args);
      announce(`after ${call}`);
      return value;
    };
  }
  syncBuiltinESMExports();
}
