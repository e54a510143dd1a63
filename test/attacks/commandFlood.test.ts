// Attack: somebody who may publish floods a gateway with forged, broken and replayed commands; it must not answer each.
import { describe, expect, it } from "vitest";
import { limits } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { createCommandDesk } from "../../src/control/commandDesk.ts";
import { openCommandJournal } from "../../src/control/journal.ts";
import type { CommandResult } from "../../src/protocol/command.ts";
import { createAgentClock, createOperator, gateway, listOperators, signToken } from "../support/commands.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";

const startMs = 1_700_000_000_000;
const anna = createOperator("anna", ["*"]);
const mallory = createOperator("mallory", ["*"]);
const messages = 500;

function token(jti: string, operator = anna): Promise<Uint8Array> {
  const iat = startMs / 1000;
  return signToken(operator, { jti, aud: gateway, iat, exp: iat + 600, component: "boiler", method: "set" });
}

async function start() {
  const clock = createAgentClock(startMs);
  const memory = createMemoryDisk();
  const counts = { calls: 0, writes: 0, refusals: 0 };
  const writeFile: typeof memory.writeFile = (path, bytes) => {
    counts.writes += 1;
    return memory.writeFile(path, bytes);
  };
  const published: CommandResult[] = [];
  const desk = createCommandDesk({
    gateway,
    operators: () => listOperators(anna),
    journal: await openCommandJournal({ ...memory, writeFile }, "commands", clock),
    call: async () => {
      counts.calls += 1;
      return { kind: "answered", value: "done" };
    },
    publish: async (result) => void published.push(result),
    onRefusal: () => void (counts.refusals += 1),
    clock,
    log: silentLog,
  });
  return { desk, clock, counts, published };
}

describe("a flood of commands", () => {
  it.each([
    ["forged ones", (index: number) => token(`command-${index}`, mallory)],
    ["ones with a header as long as may be", (index: number) => createHuge(`command-${index}`)],
    ["rubbish", async () => new Uint8Array(1000).fill(46)],
  ])("of %s is answered and told only so often, and counted", async (_what, create) => {
    const { desk, counts, published } = await start();
    for (let index = 0; index < messages; index += 1) await desk.receive(await create(index));
    const { refusalsAtOnce } = limits.command;
    expect(counts).toEqual({ calls: 0, writes: 0, refusals: refusalsAtOnce });
    expect(published.length).toBeLessThanOrEqual(refusalsAtOnce);
    expect(desk.untold).toBe(messages - refusalsAtOnce);
    expect(JSON.stringify(published).length).toBeLessThan(refusalsAtOnce * 3 * limits.words.refusal);
  });

  it("replayed from one that was carried out is neither done nor written down again, nor answered each time", async () => {
    const { desk, clock, counts, published } = await start();
    const overheard = await token("command-1");
    await desk.receive(overheard);
    const { writes } = counts;
    for (let index = 0; index < messages; index += 1) await desk.receive(overheard);
    expect(counts).toEqual({ calls: 1, writes, refusals: 0 });
    expect(published).toHaveLength(1 + limits.command.refusalsAtOnce);
    clock.advance(1000 / limits.command.refusalsPerSecond);
    await desk.receive(overheard);
    expect(published).toHaveLength(2 + limits.command.refusalsAtOnce);
  });

  it("keeps no new command of a listed operator from being carried out", async () => {
    const { desk, counts, published } = await start();
    for (let index = 0; index < messages; index += 1) await desk.receive(await token(`command-${index}`, mallory));
    await desk.receive(await token("a-real-one"));
    expect(counts.calls).toBe(1);
    expect(published.at(-1)).toMatchObject({ command: "a-real-one", status: "succeeded" });
  });
});

async function createHuge(jti: string): Promise<Uint8Array> {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const kid = "\\".repeat(11_000);
  return new TextEncoder().encode(`${part({ alg: "EdDSA", kid })}.${part({ jti })}.AA`);
}
