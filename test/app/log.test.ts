/** Lines of the log as programs that nobody looks at write them: real runs, real stderr, field by field. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { makeFolder, makeSample, runCli } from "../faults/support.ts";

type Line = Readonly<Record<string, unknown>>;

const folder = makeFolder({ after });
const input = join(folder, "in");
const labels = "logging.googleapis.com/labels";
const trace = "logging.googleapis.com/trace";
/** What Cloud Logging takes out of a line for its own entry. */
const severities = ["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"];

/** Every line must be one that Cloud Logging reads: an object with a severity, a time and a message of one line. */
function parseLines(stderr: string): readonly Line[] {
  const lines = stderr.trimEnd().split("\n");
  return lines.map((text) => {
    const line: Line = JSON.parse(text);
    assert.ok(severities.includes(String(line.severity)), text);
    assert.match(String(line.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, text);
    assert.match(String(line.message), /^[^\n]+$/, text);
    for (const value of Object.values(line[labels] ?? {})) assert.equal(typeof value, "string", text);
    for (const name of ["level", "msg", "pid", "hostname"]) assert.ok(!(name in line), text);
    return line;
  });
}

function runAll(pairs: string, output: string, run: string, ...flags: readonly string[]) {
  const places = ["--input", input, "--output", output, "--no-sync", "--memory-ceiling", "1GiB"];
  return runCli(["run-all", "--pairs", pairs, "--run", run, ...places, ...flags]);
}

before(() => makeSample(input, { tables: 6, rows: 200 }));

describe("the log", { concurrency: 1 }, () => {
  it("of a merge tells how far it is", async () => {
    const args = ["merge", "audusd", "--input", input, "--output", join(folder, "merged"), "--log-every", "4"];
    const { exitCode, stderr } = await runCli(args);
    assert.equal(exitCode, ExitCode.done, stderr);
    const [line, ...others] = parseLines(stderr).filter(({ stage }) => stage === "merge");
    const { time: _, bytesDone, workingSetBytes, ceilingBytes, message, ...rest } = line ?? {};
    assert.deepEqual(rest, {
      severity: "INFO",
      stage: "merge",
      tablesDone: 4,
      tables: 7,
      [labels]: { pair: "audusd" },
    });
    assert.ok(Number(bytesDone) > 0 && Number(ceilingBytes) > Number(workingSetBytes));
    assert.match(String(message), /^audusd: merge: 4 of 7 tables, \d+ MiB of [\d.]+ [MG]iB$/);
    assert.deepEqual(
      others.map(({ tablesDone }) => tablesDone),
      [7],
    );
  });

  it("of a run tells what becomes of every pair, in one trace", async () => {
    const output = join(folder, "run");
    const flags = ["--project", "fx-features"];
    const { exitCode, stderr } = await runAll("audusd,missing", output, "first", ...flags);
    assert.equal(exitCode, ExitCode.input, stderr);
    const lines = parseLines(stderr);
    const traces = new Set(lines.map((line) => line[trace]));
    assert.equal(traces.size, 1);
    assert.match(String([...traces][0]), /^projects\/fx-features\/traces\/[0-9a-f]{32}$/);
    const ofPair = (pair: string) =>
      lines
        .filter(({ attempt, state }) => attempt !== undefined && state !== undefined)
        .filter((line) => JSON.stringify(line[labels]) === JSON.stringify({ run: "first", pair }))
        .map(({ severity, state, message }) => [severity, state, message]);
    assert.deepEqual(ofPair("audusd"), [
      ["INFO", "running", "audusd: running"],
      ["INFO", "done", "audusd: done"],
    ]);
    const [, failed] = ofPair("missing");
    assert.deepEqual(failed?.slice(0, 2), ["ERROR", "failed"]);
    assert.match(
      String(failed?.[2]),
      /^missing: failed: input: no checkpoint of missing in .*: check --input and the pair's name/,
    );

    const again = parseLines((await runAll("audusd,missing", output, "first", ...flags)).stderr);
    const second = parseLines((await runAll("audusd", output, "second", ...flags)).stderr);
    assert.deepEqual(new Set(again.map((line) => line[trace])), traces, "the same run");
    assert.ok(!traces.has(second[0]?.[trace]), "another run");
    const without = parseLines((await runAll("audusd", output, "third")).stderr);
    assert.ok(without.length > 0 && without.every((line) => !(trace in line)), "no project, no trace");
  });

  it("of a worker of a run stands in the trace of the run, the guard's warnings and what stopped it too", async () => {
    const output = join(folder, "worker");
    const variables = { WIDEMERGE_RUN: "first", WIDEMERGE_PROJECT: "fx-features", WIDEMERGE_MEMORY_WARN: "1MiB" };
    const work = async (pairs: string, exitCode: ExitCode): Promise<readonly Line[]> => {
      const environment = { ...variables, WIDEMERGE_PAIRS: pairs, CLOUD_RUN_TASK_INDEX: "0" };
      const end = await runCli(["merge", "--input", input, "--output", output, "--no-sync"], environment);
      assert.equal(end.exitCode, exitCode, end.stderr);
      return parseLines(end.stderr);
    };
    const done = await work("audusd", ExitCode.done);
    const [warning, ...others] = done.filter(({ severity }) => severity !== "INFO");
    assert.deepEqual([warning?.severity, others], ["WARNING", []]);
    assert.match(
      String(warning?.message),
      /^audusd: the working set of [\d.]+ MiB has reached the warning level of 1\.00 MiB \(ceiling /,
    );
    const { stderr } = await runAll("audusd", output, "first", "--project", "fx-features");
    const traces = new Set([...done, ...parseLines(stderr)].map((line) => line[trace]));
    assert.equal(traces.size, 1, "that of the controller");
    for (const line of done) assert.deepEqual(line[labels], { run: "first", pair: "audusd" });

    const failed = (await work("missing", ExitCode.input)).filter(({ severity }) => severity === "ERROR");
    const { time: _, message, ...rest } = failed[0] ?? {};
    assert.deepEqual(rest, {
      ...{ severity: "ERROR", exitCode: 3, what: `no checkpoint of missing in ${input}` },
      fix: "check --input and the pair's name, or name its folder with --folders",
      [labels]: { run: "first", pair: "missing" },
      [trace]: [...traces][0],
    });
    assert.equal(message, `missing: ${rest.what}: ${rest.fix}`);
    assert.equal(failed.length, 1);
  });

  it("of a program that stops has one ERROR line a problem", async () => {
    const args = ["merge", "audusd", "--input", input, "--naming", "both", "--verify", "a bit"];
    const { exitCode, stderr } = await runCli(args);
    assert.equal(exitCode, ExitCode.usage);
    const lines = parseLines(stderr).map(({ time: _, ...line }) => line);
    const problems = [
      { what: "--naming is not allowed", found: '"both"', fix: "allowed: prefix or keep" },
      { what: "--verify is not allowed", found: '"a bit"', fix: "allowed: structure, sample or full" },
    ];
    const expected = problems.map(({ what, found, fix }) => ({
      ...{ severity: "ERROR", exitCode: 2, what, found, fix },
      message: `${what}: found ${found}; ${fix}`,
    }));
    assert.deepEqual(lines, expected);
  });
});

/** A token server and a proxy to the service that do what they are told, for a workload with an identity of its own. */
class Refusals {
  readonly secrets = ["ya29.a-token-that-nobody-may-see-0123456789", "the-identity-of-this-workload-0123456789"];
  asked = 0;
  connected = 0;
  answer: readonly [number, object] = [200, {}];
  readonly #tokens: Server = createServer((request, response) => {
    this.asked += 1;
    const [status, body] = this.answer;
    request.resume();
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  readonly #proxy: Server = createServer().on("connect", (_, socket) => {
    this.connected += 1;
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  });

  /** The environment of a program that uses them. */
  async open(): Promise<NodeJS.ProcessEnv> {
    const [tokens, proxy] = await Promise.all([this.#tokens, this.#proxy].map(listen));
    const identity = join(folder, "identity");
    writeFileSync(identity, this.secrets[1] ?? "");
    const credentials = {
      type: "external_account",
      audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${tokens}/token`,
      credential_source: { file: identity },
    };
    const path = join(folder, "credentials.json");
    writeFileSync(path, JSON.stringify(credentials));
    return { GOOGLE_APPLICATION_CREDENTIALS: path, HTTPS_PROXY: proxy, https_proxy: proxy, NO_PROXY: "127.0.0.1" };
  }

  close(): void {
    for (const server of [this.#tokens, this.#proxy]) server.close().closeAllConnections();
  }

  /** Asserts that a text has no token, no identity, no header. */
  checkUnseen(text: string): void {
    for (const secret of this.secrets) assert.ok(!text.includes(secret), text);
    assert.doesNotMatch(text, /authorization|Bearer [^…]/i);
  }
}

async function listen(server: Server): Promise<string> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a run whose bucket refuses it", () => {
  const refusals = new Refusals();
  const output = join(folder, "refused");
  let environment: NodeJS.ProcessEnv = {};
  before(async () => {
    environment = await refusals.open();
  });
  after(() => refusals.close());

  async function run(): Promise<readonly Line[]> {
    const args = ["run-all", "--pairs", "audusd", "--input", "gs://closed/in", "--output", output];
    const { exitCode, stdout, stderr } = await runCli([...args, "--memory-ceiling", "1GiB"], environment);
    assert.equal(exitCode, ExitCode.input, stderr);
    refusals.checkUnseen(stdout + stderr);
    assert.equal(existsSync(output), false, "the run is refused before it exists");
    return parseLines(stderr);
  }

  it("logs what to grant and no token", async () => {
    refusals.answer = [200, { access_token: refusals.secrets[0], token_type: "Bearer", expires_in: 3600 }];
    const lines = await run();
    assert.ok(refusals.asked > 0 && refusals.connected > 0, "a token was given, and used");
    assert.match(String(lines.at(-1)?.message), /HTTP 403.*; grant storage\.objects\.list/);
  });

  it("nor what a server repeats of it", async () => {
    refusals.answer = [400, { error: "invalid_grant", error_description: `refused: Bearer ${refusals.secrets[0]}` }];
    const lines = await run();
    assert.match(String(lines.at(-1)?.message), /no valid credentials.*refused: Bearer …/);
  });
});
