// What components say: the last lines are kept, the link is used only while somebody listens, an answer always fits.
import { describe, expect, it } from "vitest";
import { callAgent } from "../../../src/agent/agentMethods.ts";
import { createVoices } from "../../../src/agent/voice.ts";
import { limits } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { LogDocument } from "../../../src/protocol/reports.ts";
import { createManualClock } from "../../support/manualClock.ts";

function start() {
  const clock = createManualClock(0);
  const published: string[] = [];
  const voices = createVoices({
    clock,
    log: silentLog,
    publish: (component, { level, line }) => void published.push(`${component} ${level} ${line}`),
  });
  const ask = (method: string, params: unknown) => callAgent(method, params, { voices, components: ["boiler"] });
  return { clock, voices, published, ask };
}

describe("the voices of components", () => {
  it("keeps the last lines of each, oldest first", () => {
    const { voices } = start();
    for (let n = 1; n <= limits.logs.tailLines + 2; n += 1) voices.of("boiler").log("info", `line ${n}`);
    voices.of("pump").problem("the port is gone");
    const tail = voices.tail("boiler");
    expect([tail.length, tail[0]?.line, tail.at(-1)?.line]).toEqual([
      limits.logs.tailLines,
      "line 3",
      `line ${limits.logs.tailLines + 2}`,
    ]);
    expect(voices.tail("pump")).toEqual([{ at: "1970-01-01T00:00:00.000Z", level: "warn", line: "the port is gone" }]);
    expect(voices.tail("nobody")).toEqual([]);
  });

  it("publishes a component's lines only while somebody listens to it", async () => {
    const { clock, voices, published } = start();
    const boiler = voices.of("boiler");
    boiler.log("info", "before");
    voices.listen("boiler", 1000);
    boiler.log("error", "during");
    voices.of("pump").log("info", "another");
    await clock.advance(1000);
    boiler.log("info", "after");
    expect(published).toEqual(["boiler error during"]);
  });

  it("counts what was dropped, by what and component", () => {
    const { voices } = start();
    voices.of("boiler").dropped("log", 2);
    voices.of("boiler").dropped("log", 1);
    voices.of("pump").dropped("call", 1);
    expect(voices.dropped).toEqual({ "logs.boiler": 3, "calls.pump": 1 });
  });
});

describe("the agent's own methods", () => {
  it("answers the last lines and listens from then on", async () => {
    const { voices, published, ask } = start();
    voices.of("boiler").log("info", "before");
    expect(await ask("logs", { component: "boiler", forMs: 1000 })).toMatchObject([{ line: "before" }]);
    voices.of("boiler").log("info", "after");
    expect(published).toEqual(["boiler info after"]);
  });

  it("answers no more than one answer has room for, and the last lines of it", async () => {
    const { voices, ask } = start();
    const long = "x".repeat(limits.component.logLineBytes);
    for (let n = 1; n <= limits.logs.tailLines; n += 1) voices.of("boiler").log("info", `${n} ${long}`);
    const lines = (await ask("logs", { component: "boiler", forMs: 0 })) as readonly LogDocument[];
    const bytes = Buffer.byteLength(JSON.stringify(lines));
    expect(bytes).toBeLessThanOrEqual(limits.command.answerBytes);
    expect(bytes).toBeGreaterThan(limits.command.answerBytes - 2 * limits.component.logLineBytes);
    expect(lines.at(-1)?.line.startsWith(`${limits.logs.tailLines} `)).toBe(true);
  });

  it.each([
    ["restart", {}, 'no method "restart"; it has: logs'],
    ["logs", { component: "boilr", forMs: 0 }, 'no component "boilr" here; there are: boiler'],
    ["logs", { component: "boiler" }, "forMs"],
    ["logs", { component: "boiler", forMs: limits.logs.listenMaxMs + 1 }, "forMs"],
    ["logs", { component: "boiler", forMs: 0, follow: true }, "follow"],
  ])("says what is wrong with %s %j", async (method, params, words) => {
    await expect(start().ask(method, params)).rejects.toThrow(words);
  });
});
