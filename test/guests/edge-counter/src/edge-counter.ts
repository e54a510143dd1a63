// A component that counts the edges of its line and prints each.
import { getStdout } from "wasi:cli/stdout@0.2.12";

interface Edge {
  readonly line: string;
  readonly rising: boolean;
  readonly timestampNs: number;
  readonly sequence: number;
}

let seen = 0;

export const onEdge = {
  handle({ line, rising, timestampNs, sequence }: Edge): void {
    seen += 1;
    say(`${seen} ${line} ${rising ? "rising" : "falling"} ${sequence} ${timestampNs > 0}`);
  },
};

/** QuickJS has neither console nor TextEncoder here; what is printed is ASCII. */
function say(line: string): void {
  const bytes = Uint8Array.from(`${line}\n`, (character) => character.charCodeAt(0));
  getStdout().blockingWriteAndFlush(bytes);
}
