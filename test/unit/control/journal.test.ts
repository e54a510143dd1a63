// The journal never forgets a command that could come again, and owes every begun command an answer.
import { describe, expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { openCommandJournal } from "../../../src/control/journal.ts";
import type { Command, CommandResult } from "../../../src/protocol/command.ts";
import { createAgentClock, gateway } from "../../support/commands.ts";
import { createMemoryDisk } from "../../support/memoryDisk.ts";

const startMs = 1_700_000_000_000;

function command(id: string, lifetimeS = 60): Command {
  const iat = startMs / 1000;
  return { jti: id, aud: gateway, iat, exp: iat + lifetimeS, component: "boiler", method: "set" };
}

function result(id: string, value: unknown = 1): CommandResult {
  return { command: id, status: "succeeded", result: value, at: new Date(startMs).toISOString() };
}

async function start(disk = createMemoryDisk(), clock = createAgentClock(startMs)) {
  const open = () => openCommandJournal(createMemoryDisk(new Map(disk.files)), "commands", clock);
  return { disk, clock, journal: await openCommandJournal(disk, "commands", clock), afterPowerCut: open };
}

describe("the command journal", () => {
  it("begins a command once, also after a power cut at any later step", async () => {
    const { journal, afterPowerCut } = await start();
    const begun = async () => (await afterPowerCut()).begin(command("command-1"));
    expect(await journal.begin(command("command-1"))).toBe("new");
    expect(await journal.begin(command("command-1"))).toBe("repeated");
    expect(await begun()).toBe("repeated");
    await journal.finish("command-1", result("command-1"));
    expect(await begun()).toBe("repeated");
    await journal.published("command-1");
    expect(await begun()).toBe("repeated");
  });

  it("takes two copies that come at once for one", async () => {
    const { journal } = await start();
    const outcomes = await Promise.all([journal.begin(command("command-1")), journal.begin(command("command-1"))]);
    expect(outcomes).toEqual(["new", "repeated"]);
  });

  it("owes the result until it is published, also after a power cut", async () => {
    const { journal, afterPowerCut } = await start();
    await journal.begin(command("command-1"));
    expect(journal.pendingResults()).toEqual([]);
    expect(journal.recall("command-1")).toEqual({ running: true });
    await journal.finish("command-1", result("command-1"));
    expect(journal.pendingResults()).toEqual([result("command-1")]);
    expect((await afterPowerCut()).pendingResults()).toEqual([result("command-1")]);
    await journal.published("command-1");
    expect(journal.pendingResults()).toEqual([]);
    expect((await afterPowerCut()).pendingResults()).toEqual([]);
  });

  it("answers what a power cut interrupted, once", async () => {
    const { journal, afterPowerCut } = await start();
    await journal.begin(command("command-1"));
    const reopened = await afterPowerCut();
    expect(reopened.pendingResults()).toMatchObject([{ command: "command-1", status: "interrupted" }]);
    await reopened.published("command-1");
    expect(reopened.pendingResults()).toEqual([]);
  });

  it("keeps a small published answer to give it again, and drops a large one", async () => {
    const { journal, afterPowerCut } = await start();
    const large = result("command-2", "x".repeat(limits.command.keptAnswerBytes));
    for (const answer of [result("command-1"), large]) {
      await journal.begin(command(answer.command));
      await journal.finish(answer.command, answer);
      await journal.published(answer.command);
    }
    for (const memory of [journal, await afterPowerCut()]) {
      expect(memory.recall("command-1")).toEqual({ running: false, result: result("command-1") });
      expect(memory.recall("command-2")).toEqual({ running: false });
      expect(memory.recall("command-3")).toBeUndefined();
    }
  });

  it("forgets an id only when its token can no longer be accepted and its answer is out", async () => {
    const { journal, clock, disk } = await start();
    for (const id of ["answered-1", "owed-0001"]) {
      await journal.begin(command(id));
      await journal.finish(id, result(id));
    }
    await journal.published("answered-1");
    clock.advance(60_000 + limits.command.skewMs - 1);
    await journal.begin(command("another-1", 3600));
    expect(journal.recall("answered-1")).toBeDefined();
    clock.advance(1);
    await journal.begin(command("another-2", 3600));
    expect(journal.recall("answered-1")).toBeUndefined();
    expect(journal.recall("owed-0001")).toBeDefined();
    expect([...disk.files.keys()]).not.toContain("commands/answered-1.json");
  });

  it("is full rather than forgetful", async () => {
    const { journal, clock, afterPowerCut } = await start();
    for (let count = 0; count < limits.command.remembered; count += 1) {
      expect(await journal.begin(command(`command-${count}`))).toBe("new");
      await journal.finish(`command-${count}`, result(`command-${count}`));
      await journal.published(`command-${count}`);
    }
    expect(await journal.begin(command("one-more"))).toBe("full");
    expect(await journal.begin(command("command-0"))).toBe("repeated");
    expect(await (await afterPowerCut()).begin(command("one-more"))).toBe("full");
    clock.advance(60_000 + limits.command.skewMs);
    expect(await journal.begin(command("one-more"))).toBe("new");
  });

  it("does not let a command run that it could not write down", async () => {
    const { journal, disk } = await start();
    disk.failure = new Error("no space left");
    await expect(journal.begin(command("command-1"))).rejects.toThrow("no space left");
    disk.failure = undefined;
    expect(await journal.begin(command("command-1"))).toBe("new");
  });

  it("still owes a result that could not be written down", async () => {
    const { journal, disk } = await start();
    await journal.begin(command("command-1"));
    disk.failure = new Error("no space left");
    await expect(journal.finish("command-1", result("command-1"))).rejects.toThrow("no space left");
    expect(journal.pendingResults()).toEqual([result("command-1")]);
  });

  it.each(["", "{", "null", "[]", '{"untilMs":"x"}', '{"untilMs":1,"published":false,"result":{"status":"odd"}}'])(
    "takes a spoilt file for a command that was begun: %s",
    async (text) => {
      const disk = createMemoryDisk(new Map([["commands/command-1.json", Buffer.from(text)]]));
      const { journal } = await start(disk);
      expect(await journal.begin(command("command-1"))).toBe("repeated");
      expect(journal.pendingResults()).toMatchObject([{ command: "command-1", status: "interrupted" }]);
    },
  );

  it("refuses a result for a command that was never begun", async () => {
    const { journal } = await start();
    await expect(journal.finish("command-1", result("command-1"))).rejects.toMatchObject({ code: "not-begun" });
  });
});
