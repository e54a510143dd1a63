// outstation why: the rule that stands in the way, what was seen, and what to do.
import { fetchStatus, type GatewayStatus } from "../../operator/gateways.ts";
import { explainStanding } from "../../protocol/explain.ts";
import { gatewayAt } from "../arguments.ts";
import type { Command } from "../command.ts";

export const why: Command = {
  name: "why",
  summary: "why a gateway does not run what was asked for",
  synopsis: "<gateway>",
  help: `Explains the last refusal or rollback of a gateway, and every component that is not running: the rule, what was
seen, and what to do about it. The exit code is 0 when there is something to read, 69 when the gateway never reported.

  outstation why pump-7`,
  options: {},
  words: { min: 1, max: 1 },
  run: async (context) => {
    const gateway = gatewayAt(context, 0);
    const workspace = await context.workspace();
    await using session = await context.session(workspace);
    const status = await fetchStatus(session, gateway);
    context.print(explain(status), status.reported ?? null);
    return status.reported === undefined ? 69 : 0;
  },
};

function explain({ gateway, state, reported }: GatewayStatus): string {
  if (reported === undefined)
    return `${gateway} has reported nothing yet. Is it set up with this fleet's factory.json, and does outstationd run?`;
  const standing = explainStanding({ reported });
  return state?.online === true ? standing : `${standing}\n${gateway} is offline; this is how it stood then.`;
}
