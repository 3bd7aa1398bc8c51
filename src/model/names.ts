import * as v from "valibot";
import { quoteForShell } from "./shell.ts";

const runText = "a run id of lower-case letters, digits and -, at most 40, such as 2026-11-21-a";
/** A run id. It becomes a folder, a label and part of a Job's name, so it can contain no path. */
export const RunId = v.pipe(v.string(runText), v.regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, runText));

/** What would do for a name that a pair cannot have: "ES=F" can be the folder of a pair es_f. */
export function adviseOnName(name: string): string {
  const pair = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "_")
    .replace(/^[_-]+/, "")
    .slice(0, 63);
  if (pair === "" || isPath(name)) return "a folder with a name of letters, digits, _ and - will do";
  return `--folders ${quoteForShell(name)}:${pair} merges it as ${pair}`;
}

/** Whether a name is not that of one folder in another. */
function isPath(name: string): boolean {
  return name === "." || name === ".." || /[/\\\0]/.test(name);
}

const folderText = "a folder's name without / or \\";
/** The name of a folder under the input. */
export const FolderName = v.pipe(
  v.string(folderText),
  v.nonEmpty(folderText),
  v.check((name) => !isPath(name), folderText),
);

/** What a pair's name may be, in words. */
export const pairText = "pair names of letters, digits, _ and -, at most 63, such as audusd";
/** The name of a pair. It becomes a folder, a file name and a label, so it can contain no path. */
export const Pair = v.pipe(v.string(pairText), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, pairText));

const attemptText = "letters, digits, ., _ and -, at most 120";
/** The id of an attempt. It becomes a file name, so it can contain no path. */
export const Attempt = v.pipe(v.string(attemptText), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/, attemptText));

const handleText = "a name of a backend: letters, digits, ., _, : and -, in parts separated by /";
/** A backend's own name for a launch, such as namespace/job. It becomes a part of requests. */
export const HandleName = v.pipe(
  v.string(handleText),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._:-]*(\/[A-Za-z0-9][A-Za-z0-9._:-]*)*$/, handleText),
);
