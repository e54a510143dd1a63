// The world that components are written against says exactly what this agent offers them.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { offeredInterfaces } from "../../../src/runtime/interfaces.ts";

const wit = readFileSync(new URL("../../../wit/worlds.wit", import.meta.url), "utf8");
const world = /^world imports \{(.*?)^\}/ms.exec(wit)?.[1] ?? "";
const imports = [...world.matchAll(/^ +import ([^;@]+)(?:@([^;]+))?;/gm)].map(([, name = "", version]) => ({
  name: name.includes(":") ? name : `outstation:gateway/${name}`,
  version: version ?? "0.1.0",
}));

test("its imports are the offered interfaces, neither more nor less", () => {
  // `ports` holds only types; using them imports it.
  const offered = Object.keys(offeredInterfaces).filter((name) => name !== "outstation:gateway/ports");
  expect(imports.map(({ name }) => name).sort()).toEqual(offered.sort());
});

test("each of them is in a version that links", () => {
  expect(imports.filter(({ name, version }) => !offeredInterfaces[name]?.versions.test(version))).toEqual([]);
});
