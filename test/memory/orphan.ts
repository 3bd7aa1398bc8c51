/** A supervisor to be killed: starts a child that never ends by itself, and prints its process id. */
import { limitCommand } from "../../src/memory/command.ts";
import { startChild, waitForNote } from "./start.ts";

const started = startChild("busy");
const { bytesDone: pid } = await waitForNote(started);
const bound = limitCommand([], 2 ** 30, 1).program.endsWith("setpriv");
process.stdout.write(JSON.stringify({ pid, bound }));
