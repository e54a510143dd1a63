// The trace is one JSON line an event, on disk at once, bounded, and clear about why it cannot be written.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openTrace } from "../../../devices/simulated/trace.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "outstation-trace-"));
});
afterEach(() => rm(directory, { recursive: true }));

it("writes one line an event and goes on after what is there", async () => {
  const path = join(directory, "trace.ndjson");
  const first = openTrace(path, () => 1);
  first.record("lamp", { level: true });
  first.close();
  const second = openTrace(path, () => 2);
  second.record("meter", { request: "ID", reply: "ID=x" });
  expect(await readFile(path, "utf8")).toBe(
    '{"t":1,"port":"lamp","level":true}\n{"t":2,"port":"meter","request":"ID","reply":"ID=x"}\n',
  );
  second.close();
  second.close();
  second.record("lamp", { level: false });
  expect((await readFile(path, "utf8")).split("\n")).toHaveLength(3);
});

it("stops with a last line when it is full", async () => {
  const path = join(directory, "trace.ndjson");
  const trace = openTrace(path, () => 5, 60);
  for (let count = 0; count < 10; count += 1) trace.record("lamp", { level: true });
  trace.close();
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines.at(-1)).toBe('{"t":5,"full":true}');
});

it("says which file cannot be written", () => {
  expect(() => openTrace(join(directory, "no", "such", "directory"), () => 1)).toThrow(
    /The trace .* cannot be written/,
  );
});
