// What `outstation watch` shows of each message, and how tables are aligned.
import { expect, it } from "vitest";
import { describeMessage } from "../../../src/cli/describeMessage.ts";
import { alignRows } from "../../../src/cli/table.ts";

const at = "2027-01-01T00:00:00.000Z";
const t = Date.parse(at);
const refusal = { rule: "admission.grant", seen: "no port", fix: "Grant it." };
const reported = { gateway: "g", deployment: 2, desired: 2, phase: "committed", components: {}, at };
const state = { gateway: "g", bootId: "b", agent: "0.1.0", components: ["boiler@1.0.0"], counters: {} };

it.each([
  [
    "telemetry/boiler/temperature",
    { gateway: "g", seq: 120, readings: [{ metric: "temperature", value: 61.42, unit: "Cel", t }] },
    `boiler/temperature #120  61.42 Cel  ${at}`,
  ],
  [
    "telemetry/boiler/water",
    {
      gateway: "g",
      seq: 7,
      resent: true,
      readings: [
        { metric: "level", value: 0.1 + 0.2, t },
        { metric: "pump", value: "off", t },
      ],
    },
    `boiler/water #7  level 0.3  ${at}  (may have come before)\nboiler/water #8  pump "off"  ${at}  (may have come before)`,
  ],
  ["state", { ...state, online: true }, "state  online  agent 0.1.0  boiler@1.0.0"],
  ["state", { ...state, online: false, components: [] }, "state  offline  agent 0.1.0"],
  ["reported", reported, "reported  deployment 2  committed"],
  [
    "reported",
    { ...reported, desired: 3, phase: "refused", refusal },
    "reported  deployment 2  refused of 3  admission.grant: no port",
  ],
  [
    "reported",
    { ...reported, desired: 3, phase: "rolled-back", reason: "it trapped" },
    "reported  deployment 2  rolled-back of 3  it trapped",
  ],
  [
    "event",
    { at, bootId: "b", kind: "trap", component: "boiler", detail: "it trapped" },
    `event  trap  boiler: it trapped  ${at}`,
  ],
  ["event", { at, bootId: "b", kind: "boot", detail: "boot b" }, `event  boot  boot b  ${at}`],
  ["log/boiler", { at, level: "info", line: "hello" }, `log/boiler  info  hello  ${at}`],
  ["result/c-1", { command: "c-1", status: "succeeded", result: 1, at }, "result  c-1  succeeded"],
  ["result/c-1", { command: "c-1", status: "refused", refusal, at }, "result  c-1  refused  admission.grant: no port"],
  ["other", "plain text", "other  plain text"],
  ["other", { a: 1 }, 'other  {"a":1}'],
])("shows %s %j", (topic, document, expected) => {
  expect(describeMessage({ gateway: "g", topic, document, retained: false })).toBe(expected);
});

it("shows what is not as it should be as it came, and says what is wrong", () => {
  const shown = describeMessage({
    gateway: "g",
    topic: "telemetry/boiler/x",
    document: { seq: "one" },
    retained: false,
  });
  expect(shown).toMatch(/^telemetry\/boiler\/x {2}\{"seq":"one"\} {2}\(The readings of boiler\/x is not valid/);
});

it("puts columns below each other, and leaves the end of a line alone", () => {
  expect(alignRows([["a", "bb", "long text"], ["aaa", "b"], []])).toEqual(["a    bb  long text", "aaa  b", ""]);
});
