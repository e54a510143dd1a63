// A component that reads a line that is too long, and hands the gateway names and values that are out of bounds.
import { report } from "outstation:gateway/readings@0.1.0";
import { open } from "outstation:gateway/serial@0.1.0";

let port: ReturnType<typeof open> | undefined;

export const onMessage = {
  handle(method: string, params: string): string {
    if (method === "line") return attempt(() => probe().readLine(undefined));
    if (method === "open") return attempt(() => String(open("x".repeat(Number(params)))));
    if (method === "write") return attempt(() => probe().write(new Uint8Array(Number(params))));
    const reading = { metric: "level", value: { tag: "number", val: 1 } };
    if (method === "stream") return attempt(() => report(params, [reading]));
    if (method === "metric") return attempt(() => report("level", [{ ...reading, metric: params }]));
    if (method === "text")
      return attempt(() => report("level", [{ ...reading, value: { tag: "text", val: "x".repeat(Number(params)) } }]));
    return attempt(() => report("level", [{ ...reading, value: { tag: "integer", val: Number(params) } }]));
  },
};

function probe(): ReturnType<typeof open> {
  return (port ??= open("probe"));
}

function attempt(work: () => string | undefined): string {
  try {
    return work() ?? "ok";
  } catch (error) {
    return (error as { payload: { tag: string } }).payload.tag;
  }
}
