/** Downloads objects one after the other and uploads their bytes as one object, with the plain client library. */
import { pipeline } from "node:stream/promises";
import { Storage } from "@google-cloud/storage";

const [endpoint = "", bucketName = "", prefix = "", target = ""] = process.argv.slice(2);
const bucket = new Storage({ apiEndpoint: endpoint, projectId: "emulator" }).bucket(bucketName);

async function* download(): AsyncGenerator<Uint8Array> {
  const [files] = await bucket.getFiles({ prefix });
  for (const file of files) yield* file.createReadStream();
}

await pipeline(download(), bucket.file(target).createWriteStream());
