import { ExitCode } from "../model/exit-code.ts";

export type StopSignal = "SIGINT" | "SIGTERM";

/** The exit code of a process that a signal ended. */
const exitCodes: Readonly<Record<StopSignal, ExitCode>> = {
  SIGINT: ExitCode.interrupted,
  SIGTERM: ExitCode.terminated,
};

/** Calls `handle` for every SIGINT and SIGTERM. Returns a function that ends this. */
export function onStopSignals(handle: (exitCode: ExitCode, signal: StopSignal) => void): () => void {
  const onSignal = (signal: StopSignal): void => handle(exitCodes[signal], signal);
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return () => {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  };
}
