import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import { retryTransient } from "../../src/run/transient-retry.ts";
import { failureOf } from "../support/in-process.ts";

function failure(exitCode: ExitCode): Failure {
  return new Failure(exitCode, [{ what: "lost", found: "nothing", fix: "wait" }]);
}

/** Work that fails some times before it succeeds. */
function failing(times: number, error: Error): () => Promise<string> {
  let left = times;
  return async () => {
    left -= 1;
    if (left >= 0) throw error;
    return "done";
  };
}

describe("retries of transient failures", () => {
  const told: string[] = [];
  const patience = { milliseconds: 60_000, firstPause: 1, onFailure: (it: Failure) => void told.push(it.message) };

  it("go on until the work succeeds, and report every failure", async () => {
    assert.equal(await retryTransient(failing(4, failure(ExitCode.transient)), patience), "done");
    assert.equal(told.length, 4);
    const disk = Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    assert.equal(await retryTransient(failing(2, disk), patience), "done");
  });

  it("do not happen for any other failure", async () => {
    for (const error of [failure(ExitCode.input), new TypeError("a mistake"), new Error("anything")]) {
      const found = await failureOf(retryTransient(failing(1, error), patience));
      assert.notEqual(found.exitCode, ExitCode.transient);
    }
  });

  it("end after the given time", async () => {
    const short = { ...patience, milliseconds: 30 };
    const found = await failureOf(retryTransient(failing(10_000, failure(ExitCode.transient)), short));
    assert.equal(found.exitCode, ExitCode.transient);
  });

  it("end at once when the signal is aborted", async () => {
    const stop = new AbortController();
    const waiting = retryTransient(failing(10_000, failure(ExitCode.transient)), {
      ...patience,
      firstPause: 10_000,
      signal: stop.signal,
    });
    stop.abort(failure(ExitCode.interrupted));
    assert.equal((await failureOf(waiting)).exitCode, ExitCode.interrupted);
  });
});
