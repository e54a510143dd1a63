// outstation watch: everything a gateway says, as it comes.
import { watchGateway, type GatewayMessage } from "../../operator/gateways.ts";
import { parseDuration } from "../../protocol/quantity.ts";
import { textOption, UsageError, wordAt, type Command } from "../command.ts";

export const watch: Command = {
  name: "watch",
  summary: "follow readings, state and events of a gateway",
  synopsis: "<gateway> [--for <duration>]",
  help: `Prints every message of a gateway until interrupted, or for a while. Readings carry sequence numbers; a gap means
loss, and the gateway's state says how many were dropped and why.

  outstation watch pump-7
  outstation watch pump-7 --for 10s --json`,
  options: { for: { type: "string" } },
  words: { min: 1, max: 1 },
  run: async (context) => {
    const text = textOption(context, "for");
    const forMs = text === undefined ? undefined : parseDuration(text);
    if (text !== undefined && forMs === undefined) throw new UsageError(`--for "${text}" is no duration such as 10s.`);
    const workspace = await context.workspace();
    await using session = await context.session(workspace);
    const signal = forMs === undefined ? context.signal : AbortSignal.any([context.signal, AbortSignal.timeout(forMs)]);
    const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await watchGateway(session, wordAt(context, 0), (message) => context.print(describeMessage(message), message));
    await ended;
  },
};

function describeMessage({ topic, document }: GatewayMessage): string {
  return `${topic}  ${typeof document === "string" ? document : JSON.stringify(document)}`;
}
