// Failures to exit codes and one line, in one place.
import { describeError, OutstationError } from "../base/error.ts";
import { UsageError, type ExitCode } from "./command.ts";

const codes: Readonly<Record<string, ExitCode>> = {
  "broker-unreachable": 69,
  "broker-refused": 78,
  offline: 69,
  "no-answer": 75,
  interrupted: 75,
  "workspace-missing": 78,
  "workspace-invalid": 78,
  "key-locked": 78,
  "key-unreadable": 78,
  "key-missing": 78,
  "token-locked": 78,
  "signatures-missing": 75,
  "file-exposed": 78,
};

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return 2;
  if (error instanceof OutstationError) return codes[error.code] ?? (error.retryable ? 75 : 1);
  return 1;
}

/** What to tell: our own errors as they are, a usage error with where to find help. */
export function describeFailure(error: unknown, command: string): string {
  if (error instanceof UsageError) return `outstation ${command}: ${error.message}\nSee: outstation ${command} --help`;
  return `outstation ${command}: ${describeError(error)}`;
}
