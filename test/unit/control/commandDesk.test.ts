// The desk carries a command out at most once and gives it one terminal answer, whatever the broker, disk or caller do.
import { describe, expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { CallComponent } from "../../../src/control/call.ts";
import { createCommandDesk } from "../../../src/control/commandDesk.ts";
import { openCommandJournal } from "../../../src/control/journal.ts";
import type { CommandResult } from "../../../src/protocol/command.ts";
import { refuse } from "../../../src/protocol/refusal.ts";
import { createAgentClock, createOperator, gateway, listOperators, signToken } from "../../support/commands.ts";
import { createMemoryDisk } from "../../support/memoryDisk.ts";

const startMs = 1_700_000_000_000;
const anna = createOperator("anna", ["*"]);
const mallory = createOperator("mallory", ["*"]);
const answered = (value: unknown) => ({ kind: "answered", value }) as const;
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

function token(jti: string, extra: object = {}, operator = anna): Promise<Uint8Array> {
  const iat = startMs / 1000;
  const claims = { jti, aud: gateway, iat, exp: iat + 600, component: "boiler", method: "set" };
  return signToken(operator, { ...claims, ...extra });
}

async function start(call: CallComponent = async () => answered("done"), disk = createMemoryDisk()) {
  const clock = createAgentClock(startMs);
  const calls: unknown[] = [];
  const published: CommandResult[] = [];
  const refusals: unknown[] = [];
  const broker = { offline: false, hangs: false };
  const desk = createCommandDesk({
    gateway,
    operators: () => listOperators(anna),
    journal: await openCommandJournal(disk, "commands", clock),
    call: (component, method, params, signal) => {
      calls.push([component, method, params]);
      return call(component, method, params, signal);
    },
    publish: async (result) => {
      if (broker.hangs) await new Promise(() => {});
      if (broker.offline) throw new Error("offline");
      published.push(result);
    },
    onRefusal: (refusal, id) => void refusals.push([refusal.rule, id]),
    clock,
    log: silentLog,
  });
  return { desk, clock, calls, published, refusals, broker, disk };
}

describe("the command desk", () => {
  it("calls the component and publishes its answer", async () => {
    const { desk, calls, published } = await start(async () => answered({ celsius: 61.5 }));
    await desk.receive(await token("command-1", { params: [61.5] }));
    expect(calls).toEqual([["boiler", "set", [61.5]]]);
    expect(published).toEqual([
      { command: "command-1", status: "succeeded", result: { celsius: 61.5 }, at: new Date(startMs).toISOString() },
    ]);
  });

  it("answers a method without result, a failure and a refusal of the call each as what it is", async () => {
    const refusal = refuse("command.component", "No boiler runs here.", "Deploy it.");
    const outcomes: CallComponent[] = [
      async () => answered(undefined),
      async () => Promise.reject(new Error("sensor broken")),
      async () => refusal,
    ];
    const seen: object[] = [];
    for (const call of outcomes) {
      const { desk, published } = await start(call);
      await desk.receive(await token("command-1"));
      seen.push(...published);
    }
    const { kind: _kind, ...words } = refusal;
    expect(seen).toMatchObject([
      { status: "succeeded" },
      { status: "failed", error: "sensor broken" },
      { status: "refused", refusal: words },
    ]);
    expect(seen[0]).not.toHaveProperty("result");
  });

  it("lets no component answer in the words of our own refusals", async () => {
    const { desk, published } = await start(async () => answered(refuse("command.permission", "x", "y")));
    await desk.receive(await token("command-1"));
    expect(published).toMatchObject([{ status: "succeeded", result: { kind: "refused" } }]);
  });

  it.each([
    ["larger than is sent", "x".repeat(limits.command.answerBytes), /bytes; at most/],
    ["not JSON", 12n, /cannot be written as JSON/],
    ["a function", () => 1, /cannot be written as JSON/],
  ])("fails a command whose answer is %s", async (_what, value, error) => {
    const { desk, published } = await start(async () => answered(value));
    await desk.receive(await token("command-1"));
    expect(published).toMatchObject([{ status: "failed", error: expect.stringMatching(error) }]);
  });

  it("aborts a call at its deadline and answers without waiting for it", async () => {
    let aborted: unknown;
    const { desk, clock, published } = await start(
      (_component, _method, _params, signal) =>
        new Promise(() => signal.addEventListener("abort", () => (aborted = signal.reason))),
    );
    const receiving = desk.receive(await token("command-1"));
    await settle();
    clock.advance(limits.command.callMs - 1);
    await settle();
    expect(published).toEqual([]);
    clock.advance(1);
    await receiving;
    expect(published).toMatchObject([{ status: "failed", error: expect.stringContaining("did not answer") }]);
    expect(aborted).toMatchObject({ name: "TimeoutError" });
  });

  it("carries a repeated command out once and gives its answer again", async () => {
    const { desk, calls, published } = await start();
    const same = await token("command-1");
    await desk.receive(same);
    await desk.receive(same);
    expect(calls).toHaveLength(1);
    expect(published).toHaveLength(2);
    expect(published[1]).toEqual(published[0]);
  });

  it("says nothing more to a copy that comes while the command runs", async () => {
    const { promise, resolve } = Promise.withResolvers<ReturnType<typeof answered>>();
    const { desk, calls, published } = await start(() => promise);
    const same = await token("command-1");
    const first = desk.receive(same);
    await settle();
    await desk.receive(same);
    expect(published).toEqual([]);
    resolve(answered(1));
    await first;
    expect(calls).toHaveLength(1);
    expect(published).toMatchObject([{ status: "succeeded" }]);
  });

  it("carries out one of two copies that come at once", async () => {
    const { desk, calls, published } = await start();
    const same = await token("command-1");
    await Promise.all([desk.receive(same), desk.receive(same)]);
    expect(calls).toHaveLength(1);
    // The later copy may find the command finished; it then gives the very same answer again.
    expect(new Set(published)).toEqual(new Set(published.slice(0, 1)));
  });

  it("refuses a repeated command whose answer is no longer kept", async () => {
    const { desk, calls, published, refusals } = await start(async () =>
      answered("x".repeat(limits.command.keptAnswerBytes)),
    );
    const same = await token("command-1");
    await desk.receive(same);
    await desk.receive(same);
    expect(calls).toHaveLength(1);
    expect(published).toMatchObject([
      { status: "succeeded" },
      { status: "refused", refusal: { rule: "command.repeated" } },
    ]);
    expect(refusals).toEqual([["command.repeated", "command-1"]]);
  });

  it("publishes after a reconnect what it could not publish before, once", async () => {
    const { desk, broker, published } = await start();
    broker.offline = true;
    await desk.receive(await token("command-1"));
    await desk.flush();
    expect(published).toEqual([]);
    broker.offline = false;
    await Promise.all([desk.flush(), desk.flush()]);
    await desk.flush();
    expect(published).toMatchObject([{ command: "command-1", status: "succeeded" }]);
  });

  it("after a restart answers what was finished and what was interrupted, and repeats neither", async () => {
    const before = await start(async (_component, method) =>
      method === "hang" ? new Promise(() => {}) : answered("done"),
    );
    before.broker.offline = true;
    await before.desk.receive(await token("command-1"));
    void before.desk.receive(await token("command-2", { method: "hang" }));
    await settle();
    const after = await start(undefined, createMemoryDisk(new Map(before.disk.files)));
    await after.desk.flush();
    await after.desk.receive(await token("command-2", { method: "hang" }));
    expect(after.calls).toEqual([]);
    expect(after.published.map((result) => [result.command, result.status])).toEqual([
      ["command-1", "succeeded"],
      ["command-2", "interrupted"],
      ["command-2", "interrupted"],
    ]);
  });

  it("is busy beyond its bound, also for nobody's fault, and takes the same token later", async () => {
    const { promise, resolve } = Promise.withResolvers<ReturnType<typeof answered>>();
    const { desk, calls, published } = await start(() => promise);
    const all = Array.from({ length: limits.command.running }, async (_, count) =>
      desk.receive(await token(`command-${count}`)),
    );
    await settle();
    await desk.receive(await token("one-more"));
    expect(published).toMatchObject([{ command: "one-more", status: "refused", refusal: { rule: "command.busy" } }]);
    resolve(answered(1));
    await Promise.all(all);
    await desk.receive(await token("one-more"));
    expect(calls).toHaveLength(limits.command.running + 1);
    expect(published.at(-1)).toMatchObject({ command: "one-more", status: "succeeded" });
  });

  it("is busy when it remembers as many commands as it can, and calls nothing", async () => {
    const remembered = Array.from({ length: limits.command.remembered }, (_, count) => {
      const entry = { untilMs: startMs + 600_000, published: true };
      return [`commands/earlier-${count}.json`, text(JSON.stringify(entry))] as const;
    });
    const { desk, calls, published } = await start(undefined, createMemoryDisk(new Map(remembered)));
    await desk.receive(await token("one-more"));
    expect(calls).toEqual([]);
    expect(published).toMatchObject([{ command: "one-more", status: "refused", refusal: { rule: "command.busy" } }]);
  });

  it("answers a refused token and reports it; a token without readable id is only reported", async () => {
    const { desk, calls, published, refusals } = await start();
    await desk.receive(await token("command-1", {}, mallory));
    await desk.receive(text("rubbish"));
    expect(calls).toEqual([]);
    expect(published).toMatchObject([
      { command: "command-1", status: "refused", refusal: { rule: "command.signature" } },
    ]);
    expect(refusals).toEqual([
      ["command.signature", "command-1"],
      ["command.malformed", undefined],
    ]);
  });

  it("gives a forged token no word where a real command of that id has its answer", async () => {
    const { desk, broker, published, refusals } = await start();
    broker.offline = true;
    await desk.receive(await token("command-1"));
    broker.offline = false;
    await desk.receive(await token("command-1", {}, mallory));
    expect(published).toEqual([]);
    expect(refusals).toEqual([["command.signature", "command-1"]]);
    await desk.flush();
    expect(published).toMatchObject([{ command: "command-1", status: "succeeded" }]);
  });

  it("does not call what it could not write down, and takes the same token when the disk works again", async () => {
    const { desk, calls, disk, published } = await start();
    disk.failure = new Error("no space left");
    await desk.receive(await token("command-1"));
    expect(calls).toEqual([]);
    disk.failure = undefined;
    await desk.receive(await token("command-1"));
    expect(published).toMatchObject([{ status: "succeeded" }]);
  });

  it("frees its place as soon as the call is over, however long publishing takes", async () => {
    const { desk, broker, calls, refusals } = await start();
    broker.hangs = true;
    for (let count = 0; count <= limits.command.running; count += 1) {
      void desk.receive(await token(`command-${count}`));
      await settle();
    }
    expect(calls).toHaveLength(limits.command.running + 1);
    expect(refusals).toEqual([]);
  });
});

/** Lets everything that is ready run, signature checks included. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 30));
}
