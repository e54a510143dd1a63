// A program: reads its configuration and the monotonic clock, prints what it saw, waits for one tick, and returns.
import { getStderr } from "wasi:cli/stderr@0.2.12";
import { getStdout } from "wasi:cli/stdout@0.2.12";
import { get, getAll } from "wasi:config/store@0.2.0-rc.1";
import { now, subscribeDuration } from "wasi:clocks/monotonic-clock@0.2.12";

export const run = {
  run(): void {
    say(`greeting ${get("greeting")}`);
    say(`missing ${get("missing")}`);
    say(`keys ${getAll().length}`);
    const before = now();
    subscribeDuration(1_000_000).block();
    say(`clock went on ${now() > before}`);
    getStderr().blockingWriteAndFlush(Uint8Array.from("psst\n", (character) => character.charCodeAt(0)));
    if (get("fail") !== null) throw "the program gives up";
  },
};

/** QuickJS has neither console nor TextEncoder here; what is printed is ASCII. */
function say(line: string): void {
  const bytes = Uint8Array.from(`${line}\n`, (character) => character.charCodeAt(0));
  getStdout().blockingWriteAndFlush(bytes);
}
