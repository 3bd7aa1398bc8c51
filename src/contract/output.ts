/** The files that a merged pair leaves in the output folder. */
export function nameOutputs(pair: string): { readonly output: string; readonly manifest: string } {
  return { output: `training_${pair}.parquet`, manifest: `training_${pair}.manifest.json` };
}
