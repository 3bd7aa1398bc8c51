import type { InputFile } from "../../model/plan.ts";
import { formatCrc32c } from "../../store/crc32c.ts";
import { alteredOnTheWay } from "../../store/failures.ts";

/**
 * The CRC32C of an input that was read whole, 8 hexadecimal digits.
 * @throws Failure (transient) when the bucket has another one, so that its bytes were altered on the way
 */
export function checkArrived({ path, crc32c }: Pick<InputFile, "path" | "crc32c">, sum: number): string {
  const found = formatCrc32c(sum);
  if (crc32c !== undefined && crc32c !== found) throw alteredOnTheWay(path, found, crc32c);
  return found;
}
