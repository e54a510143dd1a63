// A gateway that cannot run a deployment asks for no chunk of it, says why, and takes it when that has changed.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Needs } from "../../../src/protocol/release.ts";
import { createAgentRig, type AgentRig } from "../../support/agentRig.ts";

const needs: Needs = { hardware: [], imports: [], exports: [] };

function guest(version: string): object {
  return {
    release: `guest@${version}`,
    grants: { gpio: { relay: "out" } },
    triggers: { interval: { tick: "20ms" } },
    health: { within: "5s", bake: "100ms" },
  };
}

describe("a deployment that cannot run here", { timeout: 60_000 }, () => {
  let rig: AgentRig;
  beforeAll(async () => {
    rig = await createAgentRig();
    await rig.release("2.0.1", { ...needs, hardware: ["pi-5"] });
    await rig.release("2.0.2", { ...needs, agent: "99.0.0" });
    await rig.release("2.0.3", { ...needs, imports: ["wasi:http/types@0.2.0"] });
    await rig.start();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  let version = 0;
  const expectRefused = async (rule: string, components: object): Promise<void> => {
    version += 1;
    await rig.deploy(components);
    const reported = await rig.until(({ desired, phase }) => desired === version && phase === "refused");
    expect(reported.refusal?.rule).toBe(rule);
    expect(rig.subscribed.filter((topic) => topic.includes("/blob/"))).toEqual([]);
    expect(rig.reports.filter(({ phase }) => phase === "fetching")).toEqual([]);
  };

  it.each([
    ["delivery.hardware", "2.0.1"],
    ["delivery.agent", "2.0.2"],
    ["delivery.world", "2.0.3"],
  ])("is refused under %s for one of its components, and no chunk of any is asked for", async (rule, unfit) => {
    await expectRefused(rule, { boiler: guest("1.0.0"), pump: guest(unfit) });
  });

  it("is refused for want of memory, then of disk, and runs when both are there", async () => {
    rig.machine.memory = { ...rig.machine.memory, availableBytes: 1024 };
    await expectRefused("delivery.memory", { boiler: guest("1.0.0") });
    rig.machine.memory = { ...rig.machine.memory, availableBytes: 1024 ** 3 };
    rig.machine.freeDiskBytes = 1024;
    await expectRefused("delivery.disk", { boiler: guest("1.0.0") });
    rig.machine.freeDiskBytes = 1024 ** 3;
    await rig.until(({ desired, phase }) => desired === version && phase === "committed");
    expect(rig.subscribed.some((topic) => topic.includes("/blob/"))).toBe(true);
  });
});
