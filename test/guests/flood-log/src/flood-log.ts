// A component that prints far more lines than it may, or lines that are too long.
import { getStdout } from "wasi:cli/stdout@0.2.12";

/** More than a call to the stream may carry is written in pieces. */
const pieceBytes = 1000;

export const onMessage = {
  handle(_method: string, params: string): string {
    const { lines, pieces } = JSON.parse(params) as { lines: number; pieces: number };
    const stdout = getStdout();
    const permit = stdout.checkWrite();
    for (let line = 0; line < lines; line++) {
      for (let piece = 0; piece < pieces && permit > 0; piece++) stdout.write(new Uint8Array(pieceBytes).fill(120));
      stdout.write(Uint8Array.of(10));
    }
    return "null";
  },
};
