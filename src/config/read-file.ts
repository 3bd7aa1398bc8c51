import { closeSync, openSync, readSync } from "node:fs";
import { mostYamlBytes } from "../model/yaml.ts";

/** The bytes of a YAML file, one more than any such file may have at most: it may be a device that never ends. */
export function readYamlBytes(path: string): Uint8Array {
  const bytes = Buffer.alloc(mostYamlBytes + 1);
  const file = openSync(path, "r");
  try {
    let length = 0;
    let read = 0;
    do {
      read = readSync(file, bytes, length, bytes.length - length, null);
      length += read;
    } while (read > 0 && length < bytes.length);
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
