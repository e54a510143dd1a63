// The one base class of thrown failures: a code to switch on, a message that says what to do, and whether to retry.

export interface ErrorOptions {
  readonly cause?: unknown;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
}

/** Outcomes are values and bugs are assertions; what is left, a failure of the world around us, is thrown as this. */
export class OutstationError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly retryable: boolean;

  constructor(code: Code, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The message of anything that was thrown, for a log line or an answer; never empty. */
export function describeError(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return String(thrown);
}
