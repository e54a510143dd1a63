// Deployments from end to end inside one process: committed whole or not at all, and never without a set that runs.
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import type { ReportedDocument } from "../../../src/protocol/reports.ts";
import { createAgentRig, type AgentRig } from "../../support/agentRig.ts";

const health = { within: "5s", bake: "100ms" };

function guest(version: string, config: Readonly<Record<string, string>> = {}, changes: object = {}): object {
  return {
    release: `guest@${version}`,
    grants: { gpio: { relay: "out" } },
    triggers: { interval: { tick: "20ms" } },
    config,
    health,
    ...changes,
  };
}

function reached(phase: ReportedDocument["phase"], desired: number): (reported: ReportedDocument) => boolean {
  return (reported) => reported.phase === phase && reported.desired === desired;
}

describe("an agent", { timeout: 60_000 }, () => {
  let rig: AgentRig;

  beforeEach(async () => {
    rig = await createAgentRig();
    await rig.start();
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  async function deployAndCommit(version: number, components: object): Promise<ReportedDocument> {
    await rig.deploy(components);
    return rig.until(reached("committed", version));
  }

  async function count(component: string): Promise<unknown> {
    const { result, error } = await rig.command(component, "count");
    return error ?? result;
  }

  /** Three crashes in a row, each of a life of its own. */
  async function crashAgainAndAgain(component: string): Promise<void> {
    for (let crash = 0; crash < limits.component.crashes; crash += 1) {
      const isUp = ({ components }: ReportedDocument): boolean =>
        components[component]?.status === "running" && components[component].restarts === crash;
      await rig.until(isUp);
      await rig.command(component, "crash");
    }
  }

  it("fetches again what rotted on the disk of a committed set, and runs it", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0") });
    await rig.stop();
    const components = join(rig.stateDirectory, "components");
    const [file = ""] = await readdir(components);
    await writeFile(join(components, file), "rotten");
    const before = rig.reports.length;
    await rig.start();
    await rig.until(({ components: { boiler } }) => boiler?.status === "running", before);
    expect(await count("boiler")).toBeGreaterThan(0);
    expect((await readdir(components)).length).toBe(1);
  });

  it("commits a set that is healthy, and its components can be called", async () => {
    const reported = await deployAndCommit(1, { boiler: guest("1.0.0") });
    expect(reported).toMatchObject({
      deployment: 1,
      components: { boiler: { release: "guest@1.0.0", status: "running", restarts: 0 } },
    });
    expect(await count("boiler")).toBe(1);
    expect(await rig.command("boilr", "count")).toMatchObject({
      status: "refused",
      refusal: { rule: "command.component", seen: expect.stringContaining("boiler") },
    });
  });

  it("keeps its retained state true to what runs, and counts the bytes of each purpose in it", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0") });
    await deployAndCommit(2, { boiler: guest("1.1.0") });
    await expect.poll(() => rig.states.at(-1)?.components).toEqual(["guest@1.1.0"]);
    const { counters } = rig.states.at(-1) ?? {};
    expect(counters?.["bytes.in.blobs"]).toBeGreaterThan(1000);
    expect(counters?.["bytes.in.metadata"]).toBeGreaterThan(1000);
    expect(counters?.["bytes.out.reports"]).toBeGreaterThan(100);
    const all = (way: string): number =>
      Object.entries(counters ?? {}).reduce((sum, [name, n]) => (name.startsWith(`bytes.${way}.`) ? sum + n : sum), 0);
    expect(counters?.["bytes.socket.in"]).toBeGreaterThan(all("in"));
    expect(counters?.["bytes.socket.out"]).toBeGreaterThan(all("out"));
    await rig.stop();
    await expect.poll(() => rig.states.at(-1)?.online).toBe(false);
  });

  it("refuses the whole set for one component, and what ran before runs on undisturbed", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0") });
    expect(await count("boiler")).toBe(1);
    await rig.deploy({ boiler: guest("1.1.0"), pump: guest("1.1.0", {}, { grants: {} }) });
    const reported = await rig.until(reached("refused", 2));
    expect(reported).toMatchObject({ deployment: 1, refusal: { rule: "admission.grant" } });
    expect(Object.keys(reported.components)).toEqual(["boiler"]);
    expect(await count("boiler")).toBe(2);
  });

  it("lets a component that did not change run on through a deployment", async () => {
    await deployAndCommit(1, { keeper: guest("1.0.0"), boiler: guest("1.0.0") });
    expect([await count("keeper"), await count("boiler")]).toEqual([1, 1]);
    await deployAndCommit(2, { keeper: guest("1.0.0"), boiler: guest("1.1.0") });
    expect([await count("keeper"), await count("boiler")]).toEqual([2, 1]);
  });

  it("rolls a trial back that crashes, and does not try it again after a restart", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0") });
    await rig.deploy({ boiler: guest("1.1.0", { behaviour: "crash" }) });
    const back = await rig.until(reached("rolled-back", 2));
    expect(back).toMatchObject({ deployment: 1, reason: expect.stringContaining("the pump is gone") });
    await rig.until(({ components }) => components["boiler"]?.status === "running", rig.reports.indexOf(back));
    expect(await count("boiler")).toBe(1);
    await rig.stop();
    const before = rig.reports.length;
    await rig.start();
    const again = await rig.until(reached("refused", 2), before);
    expect(again).toMatchObject({ deployment: 1, refusal: { rule: "deployment.failed" } });
    expect(again.refusal?.seen).toContain("the pump is gone");
    expect(rig.reports.slice(before).filter(({ phase }) => phase === "trial")).toEqual([]);
  });

  it("can be emptied: a deployment without components stops what ran and is committed", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0") });
    const reported = await deployAndCommit(2, {});
    expect(reported).toMatchObject({ deployment: 2, components: {} });
  });

  it("rolls the very first deployment back to nothing", async () => {
    await rig.deploy({ boiler: guest("1.0.0", { behaviour: "crash" }) });
    expect(await rig.until(reached("rolled-back", 1))).toMatchObject({ deployment: 0, components: {} });
  });

  it("rolls a trial back that is not healthy in time", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0") });
    const slow = { health: { within: "1s", bake: "100ms" }, limits: { call: "1m" } };
    await rig.deploy({ boiler: guest("1.1.0", { behaviour: "hang" }, slow) });
    const back = await rig.until(reached("rolled-back", 2));
    expect(back).toMatchObject({ deployment: 1, reason: "it was not healthy within 1 s" });
    await rig.until(({ components }) => components["boiler"]?.release === "guest@1.0.0", rig.reports.indexOf(back));
    expect(await count("boiler")).toBe(1);
  });

  it("rolls a trial back with which the broker is not reached", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0") });
    await rig.deploy({ boiler: guest("1.1.0", {}, { health: { within: "2s", bake: "1s" } }) });
    await rig.until(reached("trial", 2));
    rig.gate.shut();
    await expect.poll(() => rig.said.join(), { timeout: 20_000 }).toContain("deployment 2 failed");
    rig.gate.open();
    const back = await rig.until(reached("rolled-back", 2));
    expect(back.reason).toBe("the broker was not reached within 2 s");
  });

  it("restarts a component that another set shares, when it crashed in the trial", async () => {
    await deployAndCommit(1, { keeper: guest("1.0.0"), boiler: guest("1.0.0") });
    await rig.deploy({ keeper: guest("1.0.0"), boiler: guest("1.1.0", {}, { health: { within: "5s", bake: "1m" } }) });
    await rig.until(({ components }) => components["boiler"]?.release === "guest@1.1.0");
    await rig.command("keeper", "crash");
    const back = await rig.until(reached("rolled-back", 2));
    expect(back.reason).toContain("keeper: ");
    expect([await count("keeper"), await count("boiler")]).toEqual([1, 1]);
  });

  it("takes an interrupted trial up at boot, and gives it up after so many attempts", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0") });
    await rig.deploy({ boiler: guest("1.1.0", {}, { health: { within: "5s", bake: "1m" } }) });
    let seen = 0;
    for (let attempt = 1; attempt <= limits.deployment.trialAttempts; attempt += 1) {
      await rig.until(reached("trial", 2), seen);
      await rig.stop();
      seen = rig.reports.length;
      await rig.start();
    }
    const back = await rig.until(({ phase }) => phase !== "committed", seen);
    const reason = `the gateway restarted ${limits.deployment.trialAttempts} times during the trial`;
    expect(back).toMatchObject({ phase: "rolled-back", deployment: 1, desired: 2, reason });
    expect(await count("boiler")).toBe(1);
  });

  it("commits an interrupted trial that turns out well after the boot", async () => {
    await rig.deploy({ boiler: guest("1.0.0", {}, { health: { within: "5s", bake: "2s" } }) });
    await rig.until(reached("trial", 1));
    await rig.stop();
    await rig.start();
    expect(await rig.until(reached("committed", 1))).toMatchObject({ deployment: 1 });
  });

  it("goes back to the deployment before when a committed component keeps crashing", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0") });
    await deployAndCommit(2, { boiler: guest("1.1.0") });
    await crashAgainAndAgain("boiler");
    const back = await rig.until(reached("rolled-back", 2));
    expect(back).toMatchObject({ deployment: 1, reason: expect.stringContaining("3 crashes within 60 s") });
    expect(rig.events.filter(({ kind }) => kind === "trap").length).toBe(limits.component.crashes);
    expect(await count("boiler")).toBe(1);
    await rig.stop();
    const before = rig.reports.length;
    await rig.start();
    const isBack = ({ components }: ReportedDocument): boolean => components["boiler"]?.status === "running";
    const again = await rig.until(isBack, before);
    expect(again).toMatchObject({ deployment: 1, components: { boiler: { release: "guest@1.0.0" } } });
  });

  it("runs the committed set at boot without a network", async () => {
    await deployAndCommit(1, { boiler: guest("1.0.0", { behaviour: "switch" }) });
    await rig.stop();
    rig.gate.shut();
    await rig.start();
    const relay = rig.board.simulated.gpio.get("relay");
    await expect.poll(() => relay?.active, { timeout: 20_000 }).toBe(true);
    const before = rig.reports.length;
    rig.gate.open();
    await rig.until(reached("committed", 1), before);
  });
});
