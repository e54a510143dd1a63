// outstation status: where each gateway stands; its exit code is for monitoring.
import { fetchStatuses, type GatewayStatus } from "../../operator/gateways.ts";
import { listGateways } from "../../operator/repository/director.ts";
import { gatewayAt } from "../arguments.ts";
import type { Command } from "../command.ts";
import { alignRows } from "../table.ts";

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
    const only = context.words.length === 0 ? undefined : gatewayAt(context, 0);
    const workspace = await context.workspace();
    const gateways = only === undefined ? await listGateways(workspace) : [only];
    await using session = await context.session(workspace);
    const all = await fetchStatuses(session, gateways);
    if (all.length === 0) context.progress("No gateway was deployed to yet. Begin with: outstation deploy");
    for (const [index, text] of describeStatuses(all).entries()) context.print(text, all[index]);
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

/** One text a gateway; the columns of all of them stand below each other. */
function describeStatuses(all: readonly GatewayStatus[]): readonly string[] {
  const heads = alignRows(all.map(describeGateway));
  const components = all.map(({ reported }) => Object.entries(reported?.components ?? {}));
  const rows = components.flat().map(([name, { release, status, restarts, reason }]) => {
    const again = restarts === 0 ? "" : `${restarts} restarts`;
    return [`  ${name}`, release, status, [again, reason?.split("\n", 1)[0] ?? ""].filter(Boolean).join("  ")];
  });
  const aligned = alignRows(rows);
  let next = 0;
  return all.map(({ gateway, reported }, index) => {
    const own = aligned.slice(next, (next += components[index]?.length ?? 0));
    const isStuck = reported?.phase === "refused" || reported?.phase === "rolled-back";
    return [heads[index], ...own, ...(isStuck ? [`  more: outstation why ${gateway}`] : [])].join("\n");
  });
}

function describeGateway({ gateway, state, reported, problem }: GatewayStatus): readonly string[] {
  if (problem !== undefined) return [gateway, `says what cannot be read: ${problem}`];
  if (state === undefined) return [gateway, "never seen: is it set up with this fleet's factory.json, and running?"];
  const head = [gateway, state.online ? "online" : "offline", `agent ${state.agent}`];
  if (reported === undefined) return head;
  const { deployment, desired, phase } = reported;
  if (phase === "idle") return [...head, "nothing deployed"];
  return [...head, `deployment ${deployment}`, desired === deployment ? phase : `${phase}: ${desired}`];
}
