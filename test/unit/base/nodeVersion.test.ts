// Which Node.js may run Outstation, and that it is the one the package asks for.
import { expect, it } from "vitest";
import { refuseNode } from "../../../src/base/nodeVersion.ts";
import packageJson from "../../../package.json" with { type: "json" };

it.each(["24.15.0", "24.21.0", "26.0.0"])("lets Node.js %s run", (version) => {
  expect(refuseNode(version)).toBeUndefined();
});

it.each(["18.19.0", "20.20.2", "22.22.2", "24.14.9"])("refuses Node.js %s in words", (version) => {
  expect(refuseNode(version)).toContain(`Node.js 24.15 or later is needed; this is ${version}`);
});

it("needs what the package says it needs", () => {
  expect(packageJson.engines.node).toBe(">=24.15");
});
