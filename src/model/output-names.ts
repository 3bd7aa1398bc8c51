/** The files that a merged pair leaves in the output folder. */
export function nameOutputs(pair: string): { readonly output: string; readonly manifest: string } {
  return { output: `training_${pair}.parquet`, manifest: `training_${pair}.manifest.json` };
}

/** The path of the manifest beside an output; undefined for a path that does not end in .parquet. */
export function manifestBeside(output: string): string | undefined {
  return output.endsWith(".parquet") ? output.replace(/\.parquet$/, ".manifest.json") : undefined;
}

/** The pair of an output's file name; the name itself, without its ending, where it is another file. */
export function pairOfOutput(name: string): string {
  return /^training_(.+?)\.(?:manifest\.json|parquet)$/.exec(name)?.[1] ?? name.replace(/\.[^.]*$/, "");
}
