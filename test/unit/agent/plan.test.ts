// The plan for a verified deployment, over every record of what runs, failed and was tried.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planDeployment, type Wanted } from "../../../src/agent/plan.ts";
import { parseValue } from "../../../src/protocol/document.ts";
import { deploymentSchema, type DeploymentText } from "../../../src/protocol/deployment.ts";
import type { VerifiedTarget } from "../../../src/protocol/release.ts";
import type { CommittedSet, DeploymentRecord } from "../../../src/store/deploymentStore.ts";

const version = fc.integer({ min: 1, max: 8 });
const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);
const name = fc.stringMatching(/^[b-z][a-z0-9]{0,5}$/);

const target: fc.Arbitrary<VerifiedTarget> = fc
  .record({ sha256, lengthBytes: fc.nat(), counter: fc.integer({ min: 1 }) })
  .map(({ sha256, lengthBytes, counter }) => ({
    path: `x/${sha256.slice(0, 4)}.wasm`,
    sha256,
    lengthBytes,
    release: { component: "x", version: "1.0.0", counter, full: { sha256, length: 1 }, deltas: {} },
  }));

const wanted: fc.Arbitrary<Wanted> = fc.tuple(version, fc.dictionary(name, target)).map(([version, components]) => {
  const text: DeploymentText = {
    version,
    gateway: "g",
    components: Object.fromEntries(Object.keys(components).map((key) => [key, { release: `${key}@1.0.0` }])),
  };
  const deployment = parseValue(deploymentSchema, text, { what: "deployment" });
  return { deployment, text, targets: new Map(Object.entries(components)) };
});

const set: fc.Arbitrary<CommittedSet> = version.map((version) => ({
  version,
  deployment: { version, gateway: "g", components: {} },
  components: {},
}));

const record: fc.Arbitrary<DeploymentRecord> = fc.record(
  {
    active: set,
    previous: set,
    trial: fc.record({ set, attempts: fc.integer({ min: 1, max: 3 }) }),
    failed: fc.array(version.map((version) => ({ version, reason: `because of ${version}`, at: "" }))),
  },
  { requiredKeys: ["failed"] },
);

/** The rules again, as a reader of the design would write them down. */
function expectPlan({ active, failed }: DeploymentRecord, { deployment, text, targets }: Wanted): object {
  const { version } = deployment;
  if (JSON.stringify(active?.deployment) === JSON.stringify(text)) return { kind: "keep" };
  const reasons = failed.filter((entry) => entry.version === version).map(({ reason }) => reason);
  if (reasons[0] !== undefined)
    return { rule: "deployment.failed", seen: `Deployment ${version} failed here before: ${reasons[0]}` };
  const components = [...targets].map(([name, { sha256, lengthBytes, release }]) => {
    return [name, { release: `${name}@1.0.0`, sha256, lengthBytes, counter: release.counter }] as const;
  });
  const set = { version, deployment: text, components: Object.fromEntries(components) };
  return { kind: "install", set, targets: [...targets.values()] };
}

describe("planDeployment", () => {
  it("keeps what runs, never tries again what failed, and otherwise installs exactly what was verified", () => {
    fc.assert(
      fc.property(record, wanted, (record, wanted) => {
        expect(planDeployment(record, wanted)).toMatchObject(expectPlan(record, wanted));
      }),
    );
  });

  it("installs what a director signed under the version that runs, when it is something else", () => {
    const text = { version: 1, gateway: "g", components: { one: { release: "x@1.0.0" } } };
    const deployment = parseValue(deploymentSchema, text, { what: "deployment" });
    const thiefs = { version: 1, gateway: "g", components: { one: { release: "x@0.9.0" } } };
    const active = { version: 1, deployment: thiefs, components: {} };
    const targets = new Map(fc.sample(target, 1).map((sample) => ["one", sample]));
    expect(planDeployment({ active, failed: [] }, { deployment, text, targets })).toMatchObject({ kind: "install" });
  });

  it("fetches a release that two components share only once", () => {
    const [shared] = fc.sample(target, 1);
    if (shared === undefined) throw new Error("no sample");
    const text = { version: 1, gateway: "g", components: { one: { release: "x@1.0.0" }, two: { release: "x@1.0.0" } } };
    const deployment = parseValue(deploymentSchema, text, { what: "deployment" });
    const targets = new Map([
      ["one", shared],
      ["two", shared],
    ]);
    expect(planDeployment({ failed: [] }, { deployment, text, targets })).toMatchObject({ targets: [shared] });
  });

  it("takes a component without a verified target for a bug", () => {
    const text = { version: 1, gateway: "g", components: { one: { release: "x@1.0.0" } } };
    const deployment = parseValue(deploymentSchema, text, { what: "deployment" });
    expect(() => planDeployment({ failed: [] }, { deployment, text, targets: new Map() })).toThrow("x");
  });
});
