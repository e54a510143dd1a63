// Attack: a gateway in wrong hands answers the operator; it must neither drive the terminal nor hide other gateways.
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmbeddedBroker } from "../../demo/parts/broker.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createDirector } from "../../src/operator/repository/director.ts";
import { createRepositories } from "../../src/operator/repository/create.ts";
import { initWorkspace } from "../../src/operator/workspace.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { describeMessage } from "../../src/cli/describeMessage.ts";
import { printable } from "../../src/cli/printable.ts";
import { runCommand, startCommand, type Outcome } from "../support/commandLine.ts";
import { createTemporaryDirectory } from "../support/temporaryDirectory.ts";

const at = "2027-01-01T00:00:00.000Z";
const hostile = "\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e\r\ngood-1  online  agent 0.1.0  committed";
const state = { online: true, gateway: hostile, bootId: "b", agent: hostile, components: [hostile], counters: {} };
const component = { release: hostile, sha256: "", status: "running", restarts: 1, reason: hostile };
const refusal = { rule: hostile, seen: hostile, fix: hostile };
const reported = { gateway: hostile, deployment: 1, desired: 2, phase: "refused", refusal, at: hostile };

const cleanup = new AsyncDisposableStack();
const topics = createTopics();
let directory = "";
let attacker: MqttClient;

function outstation(...args: readonly string[]): Promise<Outcome> {
  return runCommand("outstation", args, { directory });
}

async function retain(topic: string, document: unknown): Promise<void> {
  const payload = typeof document === "string" ? document : JSON.stringify(document);
  await attacker.publishAsync(topic, payload, { qos: 1, retain: true });
}

function expectTame(text: string): void {
  expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
  expect(text.split("\n").filter((line) => line.startsWith("good-1  online"))).toEqual([]);
}

beforeAll(async () => {
  directory = cleanup.use(await createTemporaryDirectory()).path;
  const broker = await startEmbeddedBroker();
  cleanup.defer(() => broker.stop());
  const options = { broker: broker.url, root: topics.root, clock: systemClock, dev: true };
  const workspace = await initWorkspace(directory, options);
  await createRepositories(workspace);
  for (const gateway of ["bad-1", "good-1"]) await createDirector(workspace, gateway);
  attacker = await connectAsync(broker.url, { protocolVersion: 4 });
  cleanup.defer(() => attacker.endAsync());
});
afterAll(() => cleanup.disposeAsync());

describe("a hostile gateway", { timeout: 30_000 }, () => {
  it("cannot drive the terminal of who asks for its status or why", async () => {
    await retain(topics.gateway("bad-1").state, state);
    await retain(topics.gateway("bad-1").reported, { ...reported, components: { [hostile]: component } });
    for (const args of [
      ["status", "bad-1"],
      ["why", "bad-1"],
      ["status", "bad-1", "--json"],
    ]) {
      const { stdout, stderr } = await outstation(...args);
      expect(stdout).toContain("\\u001b[2J");
      expectTame(stdout + stderr);
    }
  });

  it("cannot drive the terminal of who watches it", async () => {
    const watching = startCommand("outstation", ["watch", "bad-1"], { directory });
    await watching.until("state  online");
    const own = topics.gateway("bad-1");
    const readings = [{ metric: hostile, value: hostile, unit: hostile, t: 1e300 }];
    await attacker.publishAsync(own.telemetry("a", "b"), JSON.stringify({ gateway: "g", seq: 1, readings }));
    await attacker.publishAsync(own.log("a"), JSON.stringify({ at, level: hostile, line: hostile }));
    await attacker.publishAsync(own.event, JSON.stringify({ at, bootId: "b", kind: "trap", detail: hostile }));
    await attacker.publishAsync(own.result("c"), hostile);
    await watching.until("result/c");
    watching.kill("SIGINT");
    expectTame((await watching.ended).stdout);
  });

  it.each(["{", "null", '{"online":1}', "[".repeat(100_000)])(
    "hides no other gateway by publishing %.20s",
    async (bad) => {
      const calm = { ...state, gateway: "good-1", agent: "0.1.0", components: [] };
      await retain(topics.gateway("good-1").state, calm);
      await retain(topics.gateway("good-1").reported, {
        ...reported,
        phase: "idle",
        gateway: "good-1",
        components: {},
      });
      await retain(topics.gateway("bad-1").state, bad);
      const { code, stdout } = await outstation("status");
      expect(code).toBe(1);
      expect(stdout).toMatch(/^bad-1 {3}says what cannot be read: /m);
      expect(stdout).toMatch(/^good-1 {2}online/m);
    },
  );
});

it("leaves what is printable, and JSON the same JSON", () => {
  expect(printable("61.4 °C\tüber 日本\nnext")).toBe("61.4 °C\tüber 日本\nnext");
  expect(JSON.parse(printable(JSON.stringify({ [hostile]: [hostile] })))).toEqual({ [hostile]: [hostile] });
});

it("shows a message of several lines further in than one of its own", () => {
  const document = { at, bootId: "b", kind: "trap", detail: "it trapped\nstate  online" };
  expect(describeMessage({ gateway: "g", topic: "event", document, retained: false })).toBe(
    `event  trap  it trapped\n    state  online  ${at}`,
  );
});
