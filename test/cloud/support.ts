/** What the tests of the deployment share: a checkout of its own, tools that stand in for the cloud's, one script's run. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";

const checkout = new URL("../..", import.meta.url).pathname;
const doubles = new URL("doubles/", import.meta.url).pathname;
/** What the scripts may use besides; nothing else of this machine is found. */
const programs =
  "awk basename bash cat cksum cp cut date dirname env find git grep head ls mkdir mktemp mv readlink rm sed seq sh sha256sum shasum sleep sort tail touch tr uname xargs".split(
    " ",
  );
const copied = ["scripts", "k8s", "prices", "profiles", "Dockerfile", "Makefile", "package.json"];
const linked = ["node_modules", "src", "data"];

function findProgram(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(":").filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The real kubectl: of this machine, or the one that the test cluster was built with. */
export function findKubectl(): string | undefined {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "widemerge");
  const built = existsSync(cache) ? readdirSync(cache).filter((name) => name.startsWith("kubernetes-")) : [];
  return [...built.map((name) => join(cache, name, "kubectl")), findProgram("kubectl") ?? ""].find((path) =>
    existsSync(path),
  );
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Tool = "gcloud" | "terraform" | "kubectl" | "gke-gcloud-auth-plugin";
const allTools: readonly Tool[] = ["gcloud", "terraform", "kubectl", "gke-gcloud-auth-plugin"];

/** A checkout under git, and a cloud of files: `state` is what the stand-ins know, `calls` what they were asked. */
export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), "widemerge-cloud-"));
  readonly checkout = join(this.folder, "checkout");
  readonly state = join(this.folder, "state");

  constructor() {
    for (const name of [this.checkout, this.state, join(this.folder, "bin"), join(this.checkout, "terraform")])
      mkdirSync(name, { recursive: true });
    for (const name of copied) cpSync(join(checkout, name), join(this.checkout, name), { recursive: true });
    for (const name of ["deployed", "dry-run"])
      rmSync(join(this.checkout, "k8s", name), { recursive: true, force: true });
    for (const name of linked) symlinkSync(join(checkout, name), join(this.checkout, name));
    cpSync(join(checkout, "bin"), join(this.checkout, "bin"), { recursive: true });
    this.offer(programs.flatMap((name) => findProgram(name) ?? []));
    this.offer([process.execPath]);
    this.git("init", "--quiet");
    this.git("add", "--all");
    this.git("commit", "--quiet", "--message", "a commit");
    after(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  private offer(paths: readonly string[]): void {
    for (const path of paths) symlinkSync(path, join(this.folder, "bin", path.slice(path.lastIndexOf("/") + 1)));
  }

  private git(...args: readonly string[]): void {
    const who = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    execFileSync("git", ["-C", this.checkout, ...who, ...args], { stdio: "pipe" });
  }

  /** The name that a clean tree gives the image. */
  get tag(): string {
    return execFileSync("git", ["-C", this.checkout, "rev-parse", "--short=12", "HEAD"], { encoding: "utf8" }).trim();
  }

  /** Puts stand-ins of these tools where the scripts find them. */
  install(tools: readonly Tool[] = allTools): void {
    const kubectl = findKubectl();
    mkdirSync(join(this.folder, "real"));
    // Under its own name: the one of the test cluster goes by that.
    if (kubectl !== undefined) symlinkSync(kubectl, join(this.folder, "real/kubectl"));
    for (const tool of tools) symlinkSync(join(doubles, tool), join(this.folder, "bin", tool));
  }

  /** The real kubectl, under its own name. @throws when it is not here */
  installKubectl(): void {
    symlinkSync(findKubectl() ?? "", join(this.folder, "bin/kubectl"));
  }

  /** `widemerge` against a bucket, which is not here: a stand-in. */
  replaceWidemerge(): void {
    const path = join(this.checkout, "bin/widemerge");
    rmSync(path);
    cpSync(join(doubles, "widemerge"), path);
    chmodSync(path, 0o755);
    this.git("commit", "--quiet", "--all", "--message", "a stand-in");
  }

  /** A script of the deployment, without a terminal. */
  run(script: string, variables: Readonly<Record<string, string>> = {}): Ended {
    const env = { PATH: join(this.folder, "bin"), HOME: this.folder, CLOUD: this.state, ...variables };
    const path = join(this.checkout, "scripts/cloud", `${script}.sh`);
    const { status, stdout, stderr } = spawnSync(path, { env, encoding: "utf8", input: "" });
    return { code: status, stdout, stderr };
  }

  /** What the stand-ins were asked since the last time, a line each. */
  calls(): string[] {
    const path = join(this.state, "calls");
    const lines = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
    rmSync(path, { force: true });
    return lines;
  }

  /** A change of what the stand-ins know. */
  note(name: string, text = ""): void {
    appendFileSync(join(this.state, name), text);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.checkout, path)), { recursive: true });
    appendFileSync(join(this.checkout, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.checkout, path), "utf8");
  }
}

/** The commands that a dry run printed. */
export function commandsOf({ stdout }: Ended): string[] {
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("  $ "))
    .map((line) => line.slice(4));
}
