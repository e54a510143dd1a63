// A simulated thermometer with a line protocol: READ answers T=61.42, ID answers ID=line-thermometer, all else ERR.
import { deviceLimits } from "../limits.ts";
import { createChance } from "./chance.ts";
import type { PartSurroundings, SerialPart } from "./part.ts";
import { startPeriod } from "./period.ts";

export interface LineThermometerOptions {
  readonly seed: number;
  readonly celsius: number;
  readonly everyMs?: number | undefined;
}

export function createLineThermometer(options: LineThermometerOptions, around: PartSurroundings): SerialPart {
  const nextCelsius = createWalk(options);
  const decoder = new TextDecoder("latin1");
  let heard = "";

  const answer = (request: string): string => {
    if (request === "READ") return `T=${nextCelsius().toFixed(2)}`;
    if (request === "ID") return "ID=line-thermometer";
    return "ERR";
  };
  const say = (line: string): void => around.send(new TextEncoder().encode(`${line}\r\n`));

  const receive = (bytes: Uint8Array): void => {
    const lines = (heard + decoder.decode(bytes)).split("\n");
    heard = (lines.pop() ?? "").slice(-deviceLimits.simulated.requestBytes);
    for (const line of lines) {
      const request = line.replace(/\r$/, "").slice(0, deviceLimits.simulated.requestBytes);
      const reply = answer(request);
      around.record({ request, reply });
      say(reply);
    }
  };

  return { receive, stop: startPeriod(around.clock, options.everyMs, () => say(answer("READ"))) };
}

/** A slow seeded walk around the middle: each reading moves a little and leans back. */
function createWalk(options: LineThermometerOptions): () => number {
  const chance = createChance(options.seed);
  let celsius = options.celsius;
  return () => {
    celsius += (chance() - 0.5) * 0.4 + (options.celsius - celsius) * 0.02;
    return celsius;
  };
}
