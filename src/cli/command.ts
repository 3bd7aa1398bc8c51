import { Command } from "commander";
import type { ExitCode } from "../model/exit-code.ts";

/** A command whose action returns an exit code; `cli.ts` alone sets it. */
export class CodedCommand extends Command {
  #exitCode: ExitCode | undefined;
  #explainsExcess = false;

  /** The exit code that the action returned; undefined when the action was not run. */
  get exitCode(): ExitCode | undefined {
    return this.#exitCode;
  }

  /** Lets the action explain arguments that it does not take; commander would refuse them without advice. */
  explainsExcessArguments(): this {
    this.#explainsExcess = true;
    return this.allowExcessArguments();
  }

  override copyInheritedSettings(source: Command): this {
    super.copyInheritedSettings(source);
    return this.#explainsExcess ? this.allowExcessArguments() : this;
  }

  /** Sets what the command does: `work` gets the arguments, the flags and the command, and returns the exit code. */
  runs<Args extends readonly unknown[]>(work: (...args: Args) => Promise<ExitCode>): this {
    return this.action(async (...args) => {
      // commander passes what `work` declares: one argument for each `.argument()`, the flags, the command.
      this.#exitCode = await work(...(args as unknown as Args));
    });
  }
}

/** Ends the process at once, without waiting for what it started. */
export class ImmediateExit extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode) {
    super("ended by a second signal");
    this.exitCode = exitCode;
  }
}
