// Versions that are written down twice, because the product may not read package.json, are the same.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { agentVersion } from "../../src/protocol/version.ts";
import { generation } from "../../src/runtime/cache.ts";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

test("the agent says the version of its package", () => {
  expect(agentVersion).toBe(manifest.version);
});

test("the cache of transpiled components is made anew with another jco", () => {
  expect(generation).toContain(`jco-${manifest.dependencies["@bytecodealliance/jco-transpile"]}-`);
});

test("every dependency is pinned to one version", () => {
  const ranges = Object.values({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(ranges.filter((range) => !/^\d+\.\d+\.\d+$/.test(range))).toEqual([]);
});
