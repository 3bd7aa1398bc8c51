/** Stages an output in a bucket, part of it uploaded, and waits to be killed. */

import { partBytes } from "../../src/store/gcs/compose.ts";
import { createGcsStore } from "../../src/store/gcs/store.ts";

const store = createGcsStore({ endpoint: process.env.WIDEMERGE_GCS_ENDPOINT });
const staged = await store.stage(process.argv[2] ?? "", { linked: true, bufferBytes: 0 });
await staged.write(Buffer.alloc(partBytes));
process.stdout.write("staged\n");
setInterval(() => undefined, 1000);
