import * as v from "valibot";

const runText = "a run id of lower-case letters, digits and -, at most 40, such as 2026-11-21-a";
/** A run id. It becomes a folder, a label and part of a Job's name, so it can contain no path. */
export const RunId = v.pipe(v.string(runText), v.regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, runText));

const pairText = "pair names of letters, digits, _ and -, at most 63, such as audusd";
/** The name of a pair. It becomes a folder, a file name and a label, so it can contain no path. */
export const Pair = v.pipe(v.string(pairText), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, pairText));
