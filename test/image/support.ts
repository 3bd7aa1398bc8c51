/** What the tests of the image share: containers as a strict cluster runs them, and a folder that they see as /data. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const checkout = new URL("../..", import.meta.url).pathname;
const script = join(checkout, "scripts/image.sh");
const image = process.env.IMAGE ?? "";

/** Why the tests are skipped; false when IMAGE names an image of an engine that works here. */
export function whySkipped(): string | false {
  if (image === "") return "no image to test: make test-image";
  const engine = spawnSync(script, ["engine"], { encoding: "utf8" });
  return engine.status === 0 ? false : engine.stderr.trim();
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of this machine with checkpoints in it, and containers that see it. */
export class Bench {
  readonly folder: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "widemerge-image-"));
    chmodSync(this.folder, 0o755);
  }

  /** A new folder that every user may write to; returns its name under /data. */
  output(name: string): string {
    mkdirSync(join(this.folder, name));
    chmodSync(join(this.folder, name), 0o777);
    return name;
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs to the end with a root that cannot be written to and no right to anything. */
  run(flags: readonly string[], ...args: readonly string[]): Ended {
    return this.call("run", "--rm", ...strict, ...this.#volume, ...flags, image, ...args);
  }

  /** Starts one in the background under this name. */
  start(name: string, flags: readonly string[], ...args: readonly string[]): void {
    const { code, stderr } = this.call(
      "run",
      "--detach",
      "--name",
      name,
      ...strict,
      ...this.#volume,
      ...flags,
      image,
      ...args,
    );
    if (code !== 0) throw new Error(stderr);
  }

  call(...args: readonly string[]): Ended {
    // Some versions of podman note in the working folder that a container ran out of memory.
    const { status, stdout, stderr } = spawnSync(script, args, { encoding: "utf8", cwd: this.folder });
    return { code: status, stdout, stderr };
  }

  /** Runs a command of the documents in the folder of this bench, with the tested image and the engine of this machine. */
  shell(command: string): Ended {
    const named = command.replaceAll("localhost/widemerge:dev", image);
    const { status, stdout, stderr } = spawnSync("sh", ["-c", `docker() { "${script}" "$@"; }\n${named}`], {
      encoding: "utf8",
      cwd: this.folder,
    });
    return { code: status, stdout, stderr };
  }

  get #volume(): readonly string[] {
    return ["--volume", `${this.folder}:/data`];
  }
}

const rights = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
const strict = ["--read-only", "--tmpfs", "/tmp:mode=1777", "--network", "none", ...rights];
