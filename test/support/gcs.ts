import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Bucket, openBucket } from "./gcs-bucket.ts";

/** A Cloud Storage server for a test, and a bucket of its own in it. */
export interface Gcs {
  /** Origin, as `apiEndpoint` of the client takes it. */
  readonly endpoint: string;
  /** Name of the test's own bucket. */
  readonly bucket: string;
  /** The bucket's objects by plain HTTP. */
  readonly objects: Bucket;
  /** The server's process, where the test started one. */
  readonly process: ChildProcess | undefined;
  stop(): Promise<void>;
}

export interface GcsOptions {
  /** Prefixes under which reads are answered 403. */
  readonly denyRead?: readonly string[];
  /** Prefixes under which writes are answered 403. */
  readonly denyWrite?: readonly string[];
  /** Keeps objects in this folder; in memory without it. */
  readonly data?: string;
}

const script = fileURLToPath(new URL("../../scripts/gcs.sh", import.meta.url));
const startSeconds = 30;

let built: { readonly binary: string } | { readonly absence: string } | undefined;

/** Why no server with these options can be had here and how to get it, for `skip`; false when it can. */
export function findGcsAbsence(options: GcsOptions = {}): string | false {
  if (givenEndpoint() !== undefined) {
    const special = Object.keys(options).length > 0;
    return special ? "skipped: WIDEMERGE_TEST_GCS_ENDPOINT names a server without these options; unset it" : false;
  }
  const result = build();
  return "absence" in result ? `skipped: ${result.absence}` : false;
}

/**
 * Starts a server, or takes the one that WIDEMERGE_TEST_GCS_ENDPOINT names, and makes a bucket in it; undefined where
 * `findGcsAbsence` says why not. The server ends with the test process, however that ends.
 */
export async function startGcs(options: GcsOptions = {}): Promise<Gcs | undefined> {
  if (findGcsAbsence(options) !== false) return undefined;
  const given = givenEndpoint();
  const server = given === undefined ? await startServer(options) : undefined;
  const endpoint = server?.endpoint ?? given ?? "";
  const bucket = `widemerge-test-${randomBytes(6).toString("hex")}`;
  return {
    endpoint,
    bucket,
    objects: await openBucket(endpoint, bucket),
    process: server?.child,
    stop: async () => {
      if (server !== undefined) await stopServer(server.child);
    },
  };
}

function givenEndpoint(): string | undefined {
  return process.env.WIDEMERGE_TEST_GCS_ENDPOINT?.replace(/\/+$/, "") || undefined;
}

function build(): { readonly binary: string } | { readonly absence: string } {
  if (built !== undefined) return built;
  const result = spawnSync(script, ["build"], { encoding: "utf8" });
  if (result.status !== 0 && result.status !== 3) throw new Error(`${script} build failed:\n${result.stderr}`);
  built = result.status === 0 ? { binary: result.stdout.trim() } : { absence: result.stderr.trim() };
  return built;
}

async function startServer(options: GcsOptions): Promise<{ endpoint: string; child: ChildProcess }> {
  const result = build();
  if ("absence" in result) throw new Error(result.absence);
  // An open standard input is what keeps the server alive: it closes with this process, even when that is killed.
  const child = spawn(result.binary, ["-until-stdin-closes", ...toFlags(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const endpoint = await readEndpoint(child);
  child.unref();
  for (const stream of [child.stdin, child.stdout]) if ("unref" in stream) (stream.unref as () => void)();
  return { endpoint, child };
}

function toFlags(options: GcsOptions): string[] {
  const read = options.denyRead?.flatMap((prefix) => ["-deny-read", prefix]) ?? [];
  const write = options.denyWrite?.flatMap((prefix) => ["-deny-write", prefix]) ?? [];
  return [...read, ...write, ...(options.data === undefined ? [] : ["-data", options.data])];
}

function readEndpoint(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the server was not ready in ${startSeconds} s`)),
      startSeconds * 1000,
    );
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
    if (child.stdout === null) throw new Error("the server has no standard output");
    createInterface(child.stdout).once("line", (line) => {
      clearTimeout(timer);
      const endpoint = /^listening on (http:\/\/\S+)$/.exec(line)?.[1];
      endpoint === undefined ? reject(new Error(`the server said: ${line}`)) : resolve(endpoint);
    });
  });
}

function stopServer(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.ref();
    child.once("exit", () => resolve());
    child.kill();
  });
}
