// outstation watch: everything a gateway says, as it comes.
import { watchGateway } from "../../operator/gateways.ts";
import { durationOption, gatewayAt, longestWaitMs } from "../arguments.ts";
import type { Command } from "../command.ts";
import { describeMessage } from "../describeMessage.ts";
import { tellIfAway } from "../presence.ts";

export const watch: Command = {
  name: "watch",
  summary: "follow readings, state and events of a gateway",
  synopsis: "<gateway> [--for <duration>]",
  help: `Prints what a gateway says, one line a reading, until Ctrl-C or for a while (exit code 0 either way). #120 is a
reading's sequence number: a gap means loss, and the gateway's state says how many were dropped and why. With --json,
every message as it came.

  outstation watch pump-7
  outstation watch pump-7 --for 10s --json`,
  options: { for: { type: "string" } },
  words: { min: 1, max: 1 },
  run: async (context) => {
    const gateway = gatewayAt(context, 0);
    const forMs = durationOption(context, "for", longestWaitMs);
    const workspace = await context.workspace();
    await using session = await context.session(workspace);
    const signal = forMs === undefined ? context.signal : AbortSignal.any([context.signal, AbortSignal.timeout(forMs)]);
    await watchGateway(session, gateway, (message) => context.print(describeMessage(message), message));
    await Promise.race([
      aborted(signal),
      tellIfAway(context, session, gateway, "nothing comes").then(() => aborted(signal)),
    ]);
  },
};

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
