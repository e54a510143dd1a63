// What an update costs on the wire beside the component's own bytes: lengths are deterministic, so they have a budget.
import { expect, it } from "vitest";
import type { StateDocument } from "../../src/protocol/reports.ts";
import { createAgentRig, type AgentRig } from "../support/agentRig.ts";

/** Topics included. Generous: signatures and hashes pack a few bytes differently in each run. */
const metadataBudgetBytes = 1500;
/** The metadata, and MQTT's own: subscriptions, acknowledgements, headers. */
const wholeBudgetBytes = 2500;

it("brings an update with a bounded number of bytes beside the component", { timeout: 120_000 }, async () => {
  await using rig = await createAgentRig();
  await rig.start();
  const before = await deploy(rig, 1, "guest@1.0.0");
  const after = await deploy(rig, 2, "guest@1.1.0");
  const grown = (...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (after[name] ?? 0) - (before[name] ?? 0), 0);
  const metadata = grown("bytes.in.metadata", "bytes.out.metadata");
  expect(metadata).toBeGreaterThan(0);
  expect(metadata).toBeLessThan(metadataBudgetBytes);
  const others = grown("bytes.in.blobs", "bytes.out.reports", "bytes.out.telemetry");
  expect(grown("bytes.socket.in", "bytes.socket.out") - others).toBeLessThan(wholeBudgetBytes);
});

/** Resolves to what the gateway has counted when it first says that the release runs. */
async function deploy(rig: AgentRig, version: number, release: string): Promise<StateDocument["counters"]> {
  const health = { within: "20s", bake: "100ms" };
  await rig.deploy({ guest: { release, grants: { gpio: { relay: "out" } }, health } });
  await rig.until(({ phase, deployment }) => phase === "committed" && deployment === version);
  const runs = ({ components }: StateDocument): boolean => components.includes(release);
  await expect.poll(() => rig.states.some(runs), { timeout: 10_000 }).toBe(true);
  return rig.states.find(runs)?.counters ?? {};
}
