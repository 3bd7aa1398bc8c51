/** Merges audusd in one process, to be traced: the settings are the first argument, as JSON. */
import { mergeHere } from "./in-process.ts";

await mergeHere(JSON.parse(process.argv[2] ?? ""), "audusd");
