// What a crash leads to, in every situation a gateway can be in.
import { describe, expect, it } from "vitest";
import { decideAfterCrash } from "../../../src/agent/crashPolicy.ts";
import { limits } from "../../../src/base/limits.ts";
import type { CommittedSet, DeploymentRecord } from "../../../src/store/deploymentStore.ts";

const enough: number = limits.component.crashes;

function setOf(version: number, shas: Readonly<Record<string, string>>): CommittedSet {
  const components = Object.entries(shas).map(([name, sha256]) => {
    return [name, { release: `${name}@1.0.0`, sha256, counter: 1, lengthBytes: 1 }] as const;
  });
  return {
    version,
    deployment: { version, gateway: "g", components: {} },
    components: Object.fromEntries(components),
  };
}

function decide(record: Partial<DeploymentRecord>, { crashes = enough, isTrial = false } = {}) {
  const asked: string[] = [];
  const decision = decideAfterCrash("boiler", { kind: "crashed", reason: "it trapped", stack: "" }, crashes, {
    read: () => ({ failed: [], ...record }),
    failTrial: isTrial ? (reason) => asked.push(`fail trial: ${reason}`) : undefined,
    rollBack: (version, reason) => asked.push(`leave ${version}: ${reason}`),
  });
  return [decision, ...asked];
}

const active = setOf(2, { boiler: "new", pump: "same" });
const previous = setOf(1, { boiler: "old", pump: "same" });

describe("decideAfterCrash", () => {
  it("fails a trial at the first crash", () => {
    expect(decide({ active, previous }, { crashes: 1, isTrial: true })).toEqual([
      "give-up",
      "fail trial: boiler: it trapped",
    ]);
  });

  it("restarts a committed component that crashes now and then", () => {
    expect(decide({ active, previous }, { crashes: enough - 1 })).toEqual(["restart"]);
  });

  it("leaves the deployment whose component keeps crashing, and names it", () => {
    const seconds = limits.component.crashWindowMs / 1000;
    expect(decide({ active, previous })).toEqual([
      "give-up",
      `leave 2: boiler: it trapped; ${enough} crashes within ${seconds} s`,
    ]);
  });

  it("leaves it too when the set before did not have the component", () => {
    expect(decide({ active, previous: setOf(1, {}) })[0]).toBe("give-up");
  });

  it("restarts when the set before has the very same bytes", () => {
    expect(decide({ active, previous: setOf(1, { boiler: "new" }) })).toEqual(["restart"]);
  });

  it("restarts when there is no set before", () => {
    expect(decide({ active })).toEqual(["restart"]);
    expect(decide({})).toEqual(["restart"]);
    expect(decide({ previous })).toEqual(["restart"]);
  });
});
