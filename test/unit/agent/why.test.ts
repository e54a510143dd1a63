// outstationd why: the gateway itself says what stands in its way, beside a running agent and after its end.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReportedDocument } from "../../../src/protocol/reports.ts";
import { createAgentRig, type AgentRig } from "../../support/agentRig.ts";
import { runCommand, type Outcome } from "../../support/commandLine.ts";

function guest(version: string, behaviour = "", changes: object = {}): object {
  return {
    release: `guest@${version}`,
    grants: { gpio: { relay: "out" } },
    triggers: { interval: { tick: "20ms" } },
    config: { behaviour },
    health: { within: "5s", bake: "100ms" },
    ...changes,
  };
}

describe("outstationd why", { timeout: 60_000 }, () => {
  let rig: AgentRig;
  const why = (...more: readonly string[]): Promise<Outcome> =>
    runCommand("outstationd", ["why", "--state", rig.stateDirectory, ...more], { directory: rig.fleet });
  const until = (phase: ReportedDocument["phase"], desired: number): Promise<ReportedDocument> =>
    rig.until((reported) => reported.phase === phase && reported.desired === desired);

  beforeAll(async () => {
    rig = await createAgentRig();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  it("says that nothing was ever reported", async () => {
    expect(await why()).toMatchObject({ code: 69, stdout: "", stderr: expect.stringContaining("Nothing was ever") });
    await mkdir(rig.stateDirectory);
    await writeFile(join(rig.stateDirectory, "reported.json"), "{");
    expect(await why()).toMatchObject({ code: 69, stdout: "" });
  });

  it("says that nothing stands in the way", async () => {
    await rig.start();
    await rig.deploy({ boiler: guest("1.0.0") });
    await until("committed", 1);
    const { code, stdout } = await why();
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^g-1 runs deployment 1, as of .*\nNothing stands/)]);
  });

  it("tells the rollback, and still after the agent's end and its next start without a broker", async () => {
    await rig.deploy({ boiler: guest("1.1.0", "crash") });
    await until("rolled-back", 2);
    const told = [
      expect.stringContaining("deployment 2 was rolled back"),
      expect.stringContaining("the pump is gone"),
      expect.stringContaining("deployment 2 failed here"),
    ];
    for (const words of told) expect((await why()).stdout).toEqual(words);
    await rig.stop();
    for (const words of told) expect((await why()).stdout).toEqual(words);
    rig.gate.shut();
    await rig.start();
    for (const words of told) expect((await why()).stdout).toEqual(words);
    rig.gate.open();
  });

  it("tells the refusal with its rule, what was seen, and the fix, also as JSON", async () => {
    await rig.deploy({ boiler: guest("1.1.0", "", { grants: {} }) });
    const { refusal } = await until("refused", 3);
    const { stdout } = await why();
    for (const words of ["deployment 3 was refused", "rule  admission.grant: ", "seen  ", "fix   Add "])
      expect(stdout).toContain(words);
    const { code, stdout: json } = await why("--json");
    expect([code, JSON.parse(json)]).toMatchObject([
      0,
      { trouble: { desired: 3, refusal: { rule: "admission.grant", seen: refusal?.seen } } },
    ]);
  });

  it("forgets trouble that is over, and tells what is down", async () => {
    await rig.deploy({ boiler: guest("1.0.0"), ended: guest("1.0.0", "") });
    await until("committed", 4);
    await rig.command("ended", "crash");
    await rig.until(({ components, desired }) => desired === 4 && components["ended"]?.restarts === 1);
    await rig.stop();
    const { stdout } = await why();
    expect(stdout).not.toContain("was refused");
    expect(stdout).toContain("ended (guest@1.0.0) is ");
    expect(stdout).toContain("last end");
  });
});
