/** Stages a local file and waits to be killed. */
import { localStore } from "../../src/store/local/store.ts";

const staged = await localStore.stage(process.argv[2] ?? "");
await staged.write(Buffer.from("half of it"));
process.stdout.write("staged\n");
setInterval(() => undefined, 1000);
