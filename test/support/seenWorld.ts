// What the world has seen of a gateway's process: lines of a file outside its state directory.
import { readFile } from "node:fs/promises";
import type { EventDocument, ReportedDocument } from "../../src/protocol/reports.ts";
import type { World } from "./checkBoot.ts";

export interface SeenWorld {
  readonly world: World;
  /** The process came to its end. */
  readonly isDone: boolean;
}

export async function readLines(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

export function worldOf(lines: readonly string[]): SeenWorld {
  let [round, verified, isDone] = [1, 0, false];
  const published: (EventDocument | ReportedDocument)[] = [];
  for (const line of lines) {
    const seen = JSON.parse(line) as Record<string, unknown>;
    if ("round" in seen) round = Number(seen["round"]);
    if ("verified" in seen) verified = Math.max(verified, Number(seen["verified"]));
    if ("published" in seen) published.push(seen["published"] as EventDocument | ReportedDocument);
    if ("done" in seen) isDone = true;
  }
  return { isDone, world: { round, verified, published } };
}
