/** The lock file pins every package of every platform by its content. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
}

const lock: { lockfileVersion: number; packages: Record<string, Locked> } = JSON.parse(
  readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"),
);
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

describe("package-lock.json", () => {
  it("has the packages of other platforms", () => {
    for (const platform of ["darwin-arm64", "linux-arm64-gnu", "linux-x64-gnu", "win32-x64-msvc"])
      assert.ok(lock.packages[`node_modules/nodejs-polars-${platform}`], platform);
  });

  it("has a SHA-512 sum for every package", () => {
    const bare = packages.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""));
    const advice = "choose versions that the registry has for every platform, and lock them in an empty folder";
    assert.deepEqual(
      bare.map(([path]) => path),
      [],
      advice,
    );
  });

  it("names no registry, so that npm takes the one that it is set to", () => {
    assert.deepEqual(
      packages.filter(([, { resolved }]) => resolved !== undefined),
      [],
    );
  });
});
