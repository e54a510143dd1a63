// What a long-running command has to say for itself, as lines for a person.
import type { Log, LogFields } from "../base/log.ts";

/** Warnings and errors alone: "a request was not answered (gateway pump-7, reason: …)". */
export function consoleLog(write: (line: string) => void): Log {
  const say = (fields: LogFields, message: string): void => {
    const details = Object.entries(fields).map(([name, value]) => `${name}: ${String(value)}`);
    write(details.length === 0 ? message : `${message} (${details.join(", ")})`);
  };
  return { debug() {}, info() {}, warn: say, error: say };
}
