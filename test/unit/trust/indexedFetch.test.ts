// The index ends the probe for roots, can be wrong in both directions, and decides nothing else.
import { describe, expect, test } from "vitest";
import { createIndexedFetch } from "../../../src/trust/indexedFetch.ts";

function createBroker(files: Readonly<Record<string, string>>): {
  readonly asked: string[];
  fetchRetained(file: string): Promise<Uint8Array | undefined>;
} {
  const asked: string[] = [];
  return {
    asked,
    fetchRetained: async (file) => {
      asked.push(file);
      const text = files[file];
      return text === undefined ? undefined : new TextEncoder().encode(text);
    },
  };
}

describe("indexed fetch", () => {
  test("never waits for a root beyond the index", async () => {
    const broker = createBroker({ "index.json": '{ "root": 2 }', "2.root.json": "two" });
    const fetchFile = createIndexedFetch(broker.fetchRetained);
    expect(await fetchFile("2.root.json", 100)).toEqual(new TextEncoder().encode("two"));
    expect(await fetchFile("3.root.json", 100)).toBeUndefined();
    expect(broker.asked).toEqual(["index.json", "2.root.json", "index.json"]);
  });

  test("sees a root that was published later", async () => {
    const files: Record<string, string> = { "index.json": '{ "root": 1 }' };
    const fetchFile = createIndexedFetch(createBroker(files).fetchRetained);
    expect(await fetchFile("2.root.json", 100)).toBeUndefined();
    files["index.json"] = '{ "root": 2 }';
    files["2.root.json"] = "two";
    expect(await fetchFile("2.root.json", 100)).toBeDefined();
  });

  test("takes an index that is missing, malformed or absurd as no hint at all", async () => {
    for (const index of [undefined, "not json", "{}", '{ "root": -1 }', "[".repeat(20_000)]) {
      const broker = createBroker(index === undefined ? {} : { "index.json": index });
      expect(await createIndexedFetch(broker.fetchRetained)("2.root.json", 100)).toBeUndefined();
    }
  });

  test("fetches everything else whatever the index says", async () => {
    const broker = createBroker({ "timestamp.json": "now" });
    expect(await createIndexedFetch(broker.fetchRetained)("timestamp.json", 100)).toBeDefined();
    expect(broker.asked).toEqual(["timestamp.json"]);
  });
});
