// What each command prints for a person and, with --json, for a program: one JSON value a line, and nothing else.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAgentRig, type AgentRig } from "../../support/agentRig.ts";
import { runCommand, startCommand, type Outcome } from "../../support/commandLine.ts";
import { openSpy } from "../../support/links.ts";

const health = { within: "5s", bake: "100ms" };
const boiler = (release: string, changes: object = {}): object => ({
  components: {
    boiler: {
      release,
      grants: { gpio: { relay: "out" } },
      triggers: { interval: { tick: "50ms" } },
      config: { behaviour: "report" },
      health,
      ...changes,
    },
  },
});

let rig: AgentRig;

function outstation(args: readonly string[]): Promise<Outcome> {
  return runCommand("outstation", args, { directory: rig.fleet });
}

function parseLines({ stdout }: Outcome): readonly unknown[] {
  expect(stdout.endsWith("\n")).toBe(true);
  return stdout
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

describe("the commands", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    rig = await createAgentRig();
    await writeFile(join(rig.fleet, "fine.json"), JSON.stringify(boiler("guest@1.0.0")));
    await writeFile(join(rig.fleet, "ungranted.json"), JSON.stringify(boiler("guest@1.1.0", { grants: {} })));
    await writeFile(join(rig.fleet, "component.wasm"), new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]));
  }, 60_000);
  afterAll(() => rig[Symbol.asyncDispose]());

  it("say what a gateway lacks that was never seen", async () => {
    expect(await outstation(["status"])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching("No gateway was deployed to yet"),
    });
    expect((await outstation(["status", "--json"])).stdout).toBe("");
    expect(await outstation(["status", "g-1"])).toMatchObject({ code: 1, stdout: /^g-1 {2}never seen: / });
    expect(await outstation(["why", "g-1"])).toMatchObject({
      code: 69,
      stdout: expect.stringMatching(/^g-1 has reported nothing yet/),
    });
    expect(parseLines(await outstation(["why", "g-1", "--json"]))).toEqual([null]);
  });

  it("deploy to a gateway that is away: say so, wait, and end without an answer when interrupted", async () => {
    await rig.start();
    await rig.stop();
    const waiting = startCommand("outstation", ["deploy", "g-1", "fine.json"], { directory: rig.fleet });
    await waiting.until("g-1 is offline; the deployment waits for it");
    waiting.kill("SIGINT");
    const { code, stderr } = await waiting.ended;
    expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringContaining("It goes on by itself") });
    await rig.start();
    await rig.until(({ phase }) => phase === "committed");
  });

  it("deploy, and say how it went", async () => {
    const fine = await outstation(["deploy", "g-1", "fine.json"]);
    expect(fine).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Deployment \d+ runs on g-1\.\n$/) });
    const refused = await outstation(["deploy", "g-1", "ungranted.json"]);
    expect(refused).toMatchObject({ code: 1, stdout: /was refused by g-1\. admission\.grant: .* Fix: / });
    const json = await outstation(["deploy", "g-1", "ungranted.json", "--json"]);
    expect(parseLines(json)).toMatchObject([
      { gateway: "g-1", phase: "refused", refusal: { rule: "admission.grant" } },
    ]);
    expect(json.stderr).toBe("");
    const left = await outstation(["deploy", "g-1", "fine.json", "--no-wait", "--json"]);
    expect(parseLines(left)).toMatchObject([{ gateway: "g-1", phase: "published" }]);
  });

  it("explain a refusal, and what is well", async () => {
    await outstation(["deploy", "g-1", "ungranted.json"]);
    const why = await outstation(["why", "g-1"]);
    expect(why.code).toBe(0);
    expect(why.stdout).toMatch(/\ndeployment \d+ was refused, at .*\n {2}rule {2}admission\.grant: /);
    expect(why.stdout).toMatch(/\n {2}fix {3}Add /);
    const status = await outstation(["status"]);
    expect(status).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/refused: \d+\n.*\n {2}more: outstation why g-1\n$/),
    });
    await outstation(["deploy", "g-1", "--release", "boiler=guest@1.1.0"]);
    await outstation(["deploy", "g-1", "fine.json"]);
    expect(await outstation(["why", "g-1"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^g-1 runs deployment \d+, as of .*\nNothing stands in the way/),
    });
    expect(await outstation(["status"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^g-1 {2}online {2}agent .* {2}deployment \d+ {2}committed\n {2}boiler {2}guest@1\.0\.0 {2}running\n$/,
      ),
    });
    expect(parseLines(await outstation(["status", "--json"]))).toMatchObject([
      { gateway: "g-1", state: { online: true } },
    ]);
    expect(parseLines(await outstation(["why", "g-1", "--json"]))).toMatchObject([{ phase: "committed" }]);
  });

  it("command a component", async () => {
    expect(await outstation(["command", "g-1", "boiler", "count"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\n$/),
    });
    const json = await outstation(["command", "g-1", "boiler", "count", "--json"]);
    expect(parseLines(json)).toMatchObject([{ status: "succeeded" }]);
    const unknown = await outstation(["command", "g-1", "pump", "count"]);
    expect(unknown).toMatchObject({ code: 1, stdout: /^refused\. command\.component: .* Fix: / });
    expect(parseLines(await outstation(["command", "g-1", "pump", "count", "--json"]))).toMatchObject([
      { status: "refused" },
    ]);
  });

  it("show the last lines of a component, until interrupted", async () => {
    expect(await outstation(["logs", "g-1", "boiler"])).toMatchObject({ code: 0 });
    const unknown = await outstation(["logs", "g-1", "pump", "--json"]);
    expect(unknown.code).toBe(1);
    expect(parseLines(unknown)).toMatchObject([
      { status: "failed", error: expect.stringMatching(/there are: boiler/) },
    ]);
  });

  it("watch a gateway, one line a reading, until interrupted", async () => {
    const watching = startCommand("outstation", ["watch", "g-1"], { directory: rig.fleet });
    await watching.until("boiler/beat #");
    watching.kill("SIGINT");
    const { code, stdout, stderr } = await watching.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^boiler\/beat #\d+ {2}1 {2}\d{4}-.*Z$/m);
    const json = await outstation(["watch", "g-1", "--for", "1s", "--json"]);
    expect(json.code).toBe(0);
    expect(parseLines(json)).toContainEqual(expect.objectContaining({ topic: "state" }));
  });

  it("deploy, and tell how far the gateway's download is", async () => {
    await using gateway = await openSpy(rig.brokerUrl, "");
    const report = (phase: string, progress?: object): Promise<void> => {
      const document = { gateway: "g-9", deployment: 0, desired: 1, phase, progress, components: {}, at: "" };
      return gateway.publish("t/gateway/g-9/out/reported", JSON.stringify(document));
    };
    const deploying = startCommand("outstation", ["deploy", "g-9", "fine.json"], { directory: rig.fleet });
    await deploying.until("g-9 was never seen");
    await report("fetching", { receivedBytes: 100, totalBytes: 1000 });
    await deploying.until("g-9: fetching, 10 % of 1 KiB");
    await report("fetching", { receivedBytes: 900, totalBytes: 1000 });
    await deploying.until("g-9: fetching, 90 % of 1 KiB");
    await report("committed");
    expect(await deploying.ended).toMatchObject({ code: 0 });
  });

  it("make a fleet and a release", async () => {
    const init = await outstation(["init", "--broker", rig.brokerUrl, "--dev", "--dir", "another", "--json"]);
    expect(parseLines(init)).toMatchObject([
      { broker: rig.brokerUrl, factory: expect.stringMatching(/another\/factory\.json$/) },
    ]);
    const release = await outstation(["release", "x@1.0.0", "component.wasm", "--dir", "another", "--json"]);
    expect(parseLines(release)).toMatchObject([{ release: "x@1.0.0", lengthBytes: 8, deltaBytes: [] }]);
  });
});
