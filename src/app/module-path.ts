import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The path of a module of this program, such as "merge/main", to start in a child process: TypeScript in a checkout,
 * compiled JavaScript in an installed package.
 */
export function modulePath(name: string): string {
  return fileURLToPath(new URL(`../${name}${extname(import.meta.url)}`, import.meta.url));
}
