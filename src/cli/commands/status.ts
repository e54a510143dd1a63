// outstation status: where each gateway stands; its exit code is for monitoring.
import { fetchStatus, type GatewayStatus } from "../../operator/gateways.ts";
import { listGateways } from "../../operator/repository/director.ts";
import type { Command } from "../command.ts";

export const status: Command = {
  name: "status",
  summary: "where gateways stand: online, deployment, components",
  synopsis: "[<gateway>]",
  help: `Shows what a gateway, or every gateway that was ever deployed to, says of itself. The exit code is 0 when all of
them are online and run what is desired, else 1, so that monitoring can call it.

  outstation status
  outstation status pump-7 --json`,
  options: {},
  words: { min: 0, max: 1 },
  run: async (context) => {
    const workspace = await context.workspace();
    const gateways = context.words[0] === undefined ? await listGateways(workspace) : [context.words[0]];
    await using session = await context.session(workspace);
    const all = await Promise.all(gateways.map((gateway) => fetchStatus(session, gateway)));
    for (const one of all) context.print(describeStatus(one), one);
    if (all.length === 0) context.print("No gateway was deployed to yet.", []);
    return all.every(isWell) ? 0 : 1;
  },
};

function isWell({ state, reported }: GatewayStatus): boolean {
  if (state?.online !== true || reported === undefined) return false;
  const settled = reported.phase === "committed" || reported.phase === "idle";
  return (
    settled && Object.values(reported.components).every(({ status }) => status === "running" || status === "finished")
  );
}

function describeStatus({ gateway, state, reported }: GatewayStatus): string {
  if (state === undefined) return `${gateway}  never seen: has it been set up with this fleet's factory.json?`;
  const online = state.online ? "online" : "offline";
  if (reported === undefined) return `${gateway}  ${online}  agent ${state.agent}`;
  const desired = reported.desired === reported.deployment ? "" : ` (desired ${reported.desired})`;
  const head = `${gateway}  ${online}  agent ${state.agent}  deployment ${reported.deployment}${desired} ${reported.phase}`;
  const components = Object.entries(reported.components).map(([name, component]) => {
    const reason = component.reason === undefined ? "" : `  ${component.reason}`;
    return `  ${name}  ${component.release}  ${component.status}  ${component.restarts} restarts${reason}`;
  });
  const why =
    reported.phase === "refused" || reported.phase === "rolled-back" ? [`  outstation why ${gateway} says more`] : [];
  return [head, ...components, ...why].join("\n");
}
