// A component that never returns: from a tick, or when it is told to.
import { getStdout } from "wasi:cli/stdout@0.2.12";

export const onInterval = {
  handle(timer: string): void {
    spin(timer);
  },
};

export const onMessage = {
  handle(method: string): string {
    if (method === "spin") spin(method);
    return "null";
  },
};

function spin(why: string): void {
  say(`spinning: ${why}`);
  for (;;);
}

/** QuickJS has neither console nor TextEncoder here; what is printed is ASCII. */
function say(line: string): void {
  const bytes = Uint8Array.from(`${line}\n`, (character) => character.charCodeAt(0));
  getStdout().blockingWriteAndFlush(bytes);
}
