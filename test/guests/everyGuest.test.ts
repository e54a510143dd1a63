// Fails when a guest has no test that starts it: the guests are the tests of the runtime.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

test("every guest is started by a test", async () => {
  const entries = await readdir(import.meta.dirname, { withFileTypes: true });
  const tests = entries.filter((entry) => entry.name.endsWith(".test.ts"));
  const texts = await Promise.all(tests.map(({ name }) => readFile(join(import.meta.dirname, name), "utf8")));
  const started = new Set(texts.join("\n").match(/(?<=guests\.(?:start|prepare)\(")[a-z-]+/g));
  const guests = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(guests.length).toBeGreaterThan(0);
  expect(guests.filter((name) => !started.has(name))).toEqual([]);
});
