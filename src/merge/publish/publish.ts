import type { Manifest } from "../../model/result.ts";
import { anotherOutput, outputRemoved } from "../../store/failures.ts";
import type { StagedOutput, StoredFile } from "../../store/store.ts";
import type { PairContext } from "../context.ts";
import type { ExistingOutput } from "../inspect/existing-output.ts";

/**
 * The manifest is the mark of done, so it goes first when an output is replaced and comes last: at any instant a
 * manifest that is there matches the file beside it. Only what was there at the start is removed or replaced: another
 * worker on this pair may have been faster.
 */
export async function publish(
  context: PairContext,
  staged: StagedOutput,
  manifest: Manifest,
  existing: ExistingOutput,
): Promise<void> {
  const { store, paths, port } = context;
  port.signal.throwIfAborted();
  if (existing.state === "replaceable" && existing.manifestVersion !== undefined)
    await store.remove(paths.manifest, existing.manifestVersion);
  await staged.publish("version" in existing ? existing.version : undefined);
  await writeManifest(context, manifest);
}

/**
 * Puts the manifest beside the output that it describes and beside no other: between the two, another worker that was
 * told to replace may have published its own.
 */
async function writeManifest(context: PairContext, manifest: Manifest): Promise<void> {
  const { store, paths } = context;
  const text = `${JSON.stringify(manifest, null, 1)}\n`;
  const published = await findOwn(context, manifest);
  for (let written = false; !written; ) {
    const before = await store.stat(paths.manifest);
    await findOwn(context, manifest, published);
    written = await store.writeTextIf(paths.manifest, text, before?.version);
  }
  // A store that is out of reach says nothing about the output: the manifest stays, as a removal that arrives late would
  // undo what is done.
  const file = await store.stat(paths.output);
  try {
    checkOwn(file, context, manifest, published);
  } catch (error) {
    const there = await store.stat(paths.manifest);
    if ((await store.readText(paths.manifest)) === text) await store.remove(paths.manifest, there?.version);
    throw error;
  }
}

/** The version of the published output. @throws Failure (input) when another one has taken its place. */
async function findOwn(context: PairContext, manifest: Manifest, published?: string): Promise<string> {
  return checkOwn(await context.store.stat(context.paths.output), context, manifest, published);
}

function checkOwn(
  file: StoredFile | undefined,
  { paths }: PairContext,
  manifest: Manifest,
  published: string | undefined,
): string {
  if (file === undefined) throw outputRemoved(paths.output);
  const isOwn =
    file.size === manifest.output.size &&
    (file.crc32c ?? manifest.output.crc32c) === manifest.output.crc32c &&
    (published ?? file.version) === file.version;
  if (!isOwn) throw anotherOutput(paths.output);
  return file.version;
}
