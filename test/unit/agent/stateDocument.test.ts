// The birth and the will: what they name and what they count.
import { expect, it } from "vitest";
import { createState, flattenCounters } from "../../../src/agent/stateDocument.ts";
import { parseValue } from "../../../src/protocol/document.ts";
import { stateSchema, type ComponentStatus } from "../../../src/protocol/reports.ts";

it("names the releases that run, and no other", () => {
  const component = (release: string, status: ComponentStatus) => ({ release, sha256: "", status, restarts: 0 });
  const components = { boiler: component("boiler@1.0.0", "running"), pump: component("pump@2.0.0", "backing-off") };
  const state = createState(true, { gateway: "g", bootId: "b", components, counters: { "outbox.waiting": 3 } });
  expect(state).toMatchObject({ online: true, components: ["boiler@1.0.0"], counters: { "outbox.waiting": 3 } });
  expect(parseValue(stateSchema, state, { what: "state" })).toEqual(state);
});

it("flattens counters to group and name", () => {
  expect(flattenCounters({ outbox: { waiting: 1, full: 2 }, dropped: { "logs.boiler": 3 } })).toEqual({
    "outbox.waiting": 1,
    "outbox.full": 2,
    "dropped.logs.boiler": 3,
  });
});
