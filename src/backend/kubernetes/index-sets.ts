/**
 * The completion indexes in a Job's status: "1,3-5,7", both ends included; empty for "" and for undefined.
 * @throws Error for any other text.
 */
export function parseIndexSet(text: string | undefined): ReadonlySet<number> {
  const indexes = new Set<number>();
  if (text === undefined || text === "") return indexes;
  for (const part of text.split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) throw new Error(`not a set of completion indexes: ${JSON.stringify(text.slice(0, 100))}`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    for (let index = first; index <= last; index += 1) indexes.add(index);
  }
  return indexes;
}
