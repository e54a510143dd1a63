// What a developer changes in the boiler between two releases, beside the edits of the demo.
import { replaceOnce } from "../../demo/parts/edits.ts";

/** Three changed lines: a longer wait, another request, and a thermometer that shows half a degree too little. */
export function withCorrection(source: string): string {
  const edits: readonly (readonly [from: string, to: string])[] = [
    ["const answerTimeoutMs = 1000;", "const answerTimeoutMs = 1500;"],
    [`probe.write(encode("READ\\r\\n"));`, `probe.write(encode("READ 1\\r\\n"));`],
    [`.slice("T=".length));`, `.slice("T=".length)) + 0.5;`],
  ];
  return edits.reduce((edited, [from, to]) => replaceOnce(edited, from, to), source);
}
