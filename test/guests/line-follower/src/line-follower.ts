// A component that prints every line of its serial port as it comes.
import { getStdout } from "wasi:cli/stdout@0.2.12";

export const onLine = {
  handle(port: string, line: string): void {
    say(`${port} ${line}`);
  },
};

/** QuickJS has neither console nor TextEncoder here; what is printed is ASCII. */
function say(line: string): void {
  const bytes = Uint8Array.from(`${line}\n`, (character) => character.charCodeAt(0));
  getStdout().blockingWriteAndFlush(bytes);
}
