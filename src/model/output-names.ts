/** The names of the files of a merged pair in the output folder. */
export function nameOutputs(pair: string): { readonly output: string; readonly manifest: string } {
  return { output: `training_${pair}.parquet`, manifest: `training_${pair}.manifest.json` };
}

/** The path of the manifest beside an output; undefined for a path that does not end in .parquet. */
export function manifestBeside(output: string): string | undefined {
  return output.endsWith(".parquet") ? output.replace(/\.parquet$/, ".manifest.json") : undefined;
}

/** The pair in an output's file name; for any other file, its name without the extension. */
export function pairOfOutput(name: string): string {
  return /^training_(.+?)\.(?:manifest\.json|parquet)$/.exec(name)?.[1] ?? name.replace(/\.[^.]*$/, "");
}
