/** Commands on gs:// folders as a user starts them: every mixture, what goes over the wire, and how refusals read. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { checkManifest, makeFolder, problemLines, resultOf, runCli } from "../faults/support.ts";
import { environment, newPrefix, openStand, outputName, readOutput, runWith, type Stand } from "../gcs/stand.ts";
import { type FaultProxy, type RequestKind, startProxy } from "../support/faults.ts";
import { findGcsAbsence, startGcs } from "../support/gcs.ts";

const absence = findGcsAbsence();
const tables = 8;

describe("commands on a bucket", { skip: absence }, () => {
  let stand: Stand;
  let local: string;
  let reference: Buffer;
  const folder = makeFolder({ after });

  before(async () => {
    stand = await openStand({ tables, rows: 1000, misaligned: 0.3 });
    local = join(folder, "in");
    const shape = ["--tables", String(tables), "--rows", "1000", "--misaligned", "0.3"];
    const run = await runCli(["sample", "--out", local, "--pairs", "audusd", ...shape]);
    assert.equal(run.exitCode, ExitCode.done, run.stderr);
    const merged = await merge(stand.gcs.endpoint, local, join(folder, "reference"));
    assert.equal(merged.exitCode, ExitCode.done, merged.stdout);
    reference = readFileSync(join(folder, "reference", outputName));
  });
  after(() => stand.gcs.stop());

  const merge = (endpoint: string, input: string, output: string, ...flags: readonly string[]) =>
    runWith(endpoint, "merge", "audusd", "--input", input, "--output", output, "--json", ...flags);

  it("sample writes into a bucket what it writes into a folder", async () => {
    const names = (await stand.gcs.objects.list("in/audusd/")).map(({ name }) => name);
    assert.equal(names.length, tables + 2);
    for (const name of names) {
      const here = readFileSync(join(local, name.slice("in/".length)));
      assert.ok(here.equals(await stand.gcs.objects.read(name)), name);
    }
  });

  it("merges from a bucket into a folder", async (context) => {
    const output = join(makeFolder(context), "out");
    const run = await merge(stand.gcs.endpoint, stand.input, output, "--verify", "full");
    assert.equal(run.exitCode, ExitCode.done, run.stdout);
    checkManifest(output);
    assert.equal(readFileSync(join(output, outputName)).length, reference.length);
  });

  it("merges from a folder into a bucket", async () => {
    const prefix = newPrefix();
    const run = await merge(stand.gcs.endpoint, local, `${stand.root}/${prefix}`, "--verify", "full");
    assert.equal(run.exitCode, ExitCode.done, run.stdout);
    assert.equal((await readOutput(stand, prefix)).bytes?.length, reference.length);
  });

  it("composes only in one bucket, and says so", async () => {
    const run = await merge(stand.gcs.endpoint, local, `${stand.root}/${newPrefix()}`, "--assembly", "compose");
    assert.equal(run.exitCode, ExitCode.input);
    assert.match(problemLines(resultOf(run)).join(), /not in the same bucket.*--assembly stream/);
  });

  it("plans, and takes the list of expected tables from the bucket", async () => {
    await stand.gcs.objects.put("expected.txt", "targets\nno_such_table_{pair}\n");
    const args = ["plan", "audusd", "--input", stand.input, "--output", `${stand.root}/${newPrefix()}`];
    const plan = await runWith(stand.gcs.endpoint, ...args);
    assert.equal(plan.exitCode, ExitCode.done, plan.stderr);
    assert.match(plan.stdout, /assembly +(compose|stream)/);
    const refused = await runWith(stand.gcs.endpoint, ...args, "--expect-tables", `${stand.root}/expected.txt`);
    assert.equal(refused.exitCode, ExitCode.input);
    assert.match(refused.stdout + refused.stderr, /no_such_table_audusd/);
  });

  for (const assembly of ["compose", "stream"])
    it(`verifies at all levels what was made by ${assembly}; full finds a flipped byte`, async () => {
      const prefix = newPrefix();
      const output = `${stand.root}/${prefix}`;
      const run = await merge(stand.gcs.endpoint, stand.input, output, "--assembly", assembly);
      assert.equal(run.exitCode, ExitCode.done, run.stdout);
      const { manifest } = await readOutput(stand, prefix);
      assert.equal(manifest?.inputs.length, tables + 1);
      // Of what is composed, no byte passes through the worker.
      for (const { action, pageChecksums } of manifest.inputs)
        assert.equal(pageChecksums, assembly === "compose" && action === "splice" ? "unchecked" : "checked");
      const verify = (level: string) =>
        runWith(stand.gcs.endpoint, "verify", "audusd", "--input", stand.input, "--output", output, "--level", level);
      for (const level of ["structure", "sample", "full"]) {
        const verified = await verify(level);
        assert.equal(verified.exitCode, ExitCode.done, `${level}: ${verified.stdout}${verified.stderr}`);
      }
      const bytes = await stand.gcs.objects.read(`${prefix}/${outputName}`);
      bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
      await stand.gcs.objects.put(`${prefix}/${outputName}`, bytes);
      const found = await verify("full");
      assert.equal(found.exitCode, ExitCode.verification, found.stdout);
    });

  for (const assembly of ["compose", "stream"])
    it(`counts what goes over the wire as the proxy does: ${assembly}`, async () => {
      const proxy = await startProxy(stand.gcs.endpoint);
      const run = await merge(proxy.endpoint, stand.input, `${stand.root}/${newPrefix()}`, "--assembly", assembly);
      await proxy.stop();
      assert.equal(run.exitCode, ExitCode.done, run.stdout);
      const { traffic } = resultOf(run);
      assert.ok(traffic);
      const count = (...kinds: readonly RequestKind[]) => kinds.reduce((sum, kind) => sum + proxy.count(kind), 0);
      assert.equal(traffic.classA, count("list", "upload", "resumable start", "compose"));
      assert.equal(traffic.classB, count("metadata", "media"));
      assert.equal(traffic.free, count("delete"));
      assert.equal(proxy.count("resumable status"), 0);
      assert.equal(traffic.bytesDown, bytesOf(proxy, "media", "responseBytes"));
      const sent = bytesOf(proxy, "upload", "requestBytes") + bytesOf(proxy, "resumable chunk", "requestBytes");
      // A small upload travels in an envelope with its description.
      assert.ok(sent >= traffic.bytesUp && sent <= traffic.bytesUp + 512 * proxy.count("upload"), `${sent}`);
      checkRequestsPerTable(proxy);
    });

  it("tells what to grant where reading or writing is forbidden", async (context) => {
    const denied = await startGcs({ denyRead: ["secret"], denyWrite: ["closed"] });
    context.after(() => denied?.stop());
    assert.ok(denied);
    const root = `gs://${denied.bucket}`;
    const reading = await merge(denied.endpoint, `${root}/secret`, `${root}/out`);
    assert.equal(reading.exitCode, ExitCode.input, reading.stdout);
    assert.match(
      problemLines(resultOf(reading)).join(),
      /grant storage\.objects\.(list|get).*roles\/storage\.objectUser/,
    );
    const writing = await merge(denied.endpoint, local, `${root}/closed`);
    assert.equal(writing.exitCode, ExitCode.input, writing.stdout);
    assert.match(problemLines(resultOf(writing)).join(), /storage\.objects\.create/);
  });

  it("survives a 503 on a table's bytes as a program of its own", async () => {
    let hits = 0;
    const proxy = await startProxy(stand.gcs.endpoint, [
      { on: ({ kind }) => kind === "media" && ++hits % 5 === 0, times: 3, fault: { kind: "answer", status: 503 } },
    ]);
    const run = await merge(proxy.endpoint, stand.input, `${stand.root}/${newPrefix()}`, "--verify", "sample");
    await proxy.stop();
    assert.equal(run.exitCode, ExitCode.done, run.stdout + run.stderr);
  });

  it("run-all without pairs plans every checkpoint of a bucket's folder", async () => {
    const flags = ["--input", stand.input, "--output", `${stand.root}/${newPrefix()}`, "--memory-ceiling", "1GiB"];
    const run = await runWith(stand.gcs.endpoint, "run-all", "--dry-run", "--json", ...flags);
    assert.equal(run.exitCode, ExitCode.done, run.stdout + run.stderr);
    const { pairs } = JSON.parse(run.stdout);
    assert.deepEqual(
      pairs.map(({ pair, verdict }: { pair: string; verdict: string }) => [pair, verdict]),
      [["audusd", "to do"]],
    );
  });

  it("takes settings from a file", async (context) => {
    const config = join(makeFolder(context), "settings.yaml");
    const output = `${stand.root}/${newPrefix()}`;
    writeFileSync(config, `input: ${stand.input}\noutput: ${output}\ngcsEndpoint: ${stand.gcs.endpoint}\n`);
    const run = await runCli(["merge", "audusd", "--config", config, "--json"], {
      ...environment("http://unused.invalid"),
      WIDEMERGE_GCS_ENDPOINT: undefined,
    });
    assert.equal(run.exitCode, ExitCode.done, run.stdout);
  });
});

function bytesOf(proxy: FaultProxy, kind: RequestKind, field: "requestBytes" | "responseBytes"): number {
  return proxy.requests
    .filter((exchange) => exchange.kind === kind)
    .reduce((sum, exchange) => sum + exchange[field], 0);
}

/** Of every table: its footer (a second request where that is long), its key, and its body. */
function checkRequestsPerTable(proxy: FaultProxy): void {
  const counts = new Map<string, number>();
  for (const { kind, path } of proxy.requests) {
    const name = /in%2Faudusd%2F([^?]+)\?alt=media/.exec(path)?.[1];
    if (kind === "media" && name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  assert.equal(counts.size, tables + 1);
  const most = [...counts].filter(([, count]) => count > 3).map(([name]) => name);
  // Those with more columns than the first guess of a footer holds.
  assert.ok(most.length <= 2, most.join());
  for (const count of counts.values()) assert.ok(count >= 2 && count <= 4, String(count));
}
