import { PageError } from "../encoding/encoding.ts";
import { showBytes, showText } from "../show-bytes.ts";

/** A text that is not exactly a timestamp. */
export class TimestampTextError extends PageError {}

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})0*)?)?\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/;

/** Bits of the counter: 1677 to 2262. */
const counterBits = 64;

/**
 * Nanoseconds since 1970 of an ISO 8601 timestamp, such as "2026-11-21 06:00:00.123+01:00", "2026-11-21T06:00Z" or
 * "2026-11-21"; `zoned`: a text without an offset is UTC. Without `zoned` a text with an offset has no meaning.
 * @throws TimestampTextError for any other text, a date that does not exist, and what nanoseconds of 64 bits cannot hold
 */
export function parseTimestamp(text: string, zoned: boolean): bigint {
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", offset] =
    pattern.exec(text) ?? [];
  const clock = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const milliseconds = Date.parse(`${clock}Z`);
  // A date such as 2026-02-30 is moved by some parsers; hour 24 is another way to write the next day.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString().slice(0, 19) !== clock)
    throw new TimestampTextError(`${show(text)} is not a timestamp`);
  if (offset !== undefined && !zoned)
    throw new TimestampTextError(`${show(text)} has an offset, so it is no local time`);
  const nanoseconds =
    BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0")) - BigInt(minutesOf(offset)) * 60_000_000_000n;
  if (BigInt.asIntN(counterBits, nanoseconds) !== nanoseconds)
    throw new TimestampTextError(`${show(text)} is outside 1677 to 2262`);
  return nanoseconds;
}

/** A text of one byte a character, as it is stored: quoted if all are printable ASCII, otherwise its bytes. */
function show(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  return /^[ -~]*$/.test(text) ? JSON.stringify(showText(bytes)) : showBytes(bytes);
}

/** Minutes that an offset is ahead of UTC. */
function minutesOf(offset: string | undefined): number {
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(offset ?? "") ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
