// What cannot run here is refused with numbers and a fix, before anything of any component is fetched.
import { describe, expect, it } from "vitest";
import { createPrecheck } from "../../../src/agent/delivery.ts";
import { type GatewayFacts, isLasting, refuseBeforeFetch } from "../../../src/agent/precheck.ts";
import { limits } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import { deploymentSchema, type Deployment } from "../../../src/protocol/deployment.ts";
import { parseValue } from "../../../src/protocol/document.ts";
import type { Refusal, RuleId } from "../../../src/protocol/refusal.ts";
import type { Needs, VerifiedTarget } from "../../../src/protocol/release.ts";
import { openComponentStore } from "../../../src/store/componentStore.ts";
import { openDownloads } from "../../../src/store/downloads.ts";
import { installBytes, targetFor } from "../../support/installed.ts";
import { createMemoryDisk } from "../../support/memoryDisk.ts";

const mebibyte = 1024 ** 2;
const needs: Needs = { hardware: [], imports: ["wasi:io/poll@0.2.12", "outstation:gateway/serial@0.1.0"], exports: [] };
const facts: GatewayFacts = {
  agent: "0.9.3",
  hardware: ["pi-4", "acme-gw-2"],
  freeDiskBytes: 1024 * mebibyte,
  memory: { totalBytes: 512 * mebibyte, availableBytes: 100 * mebibyte },
  running: 0,
};

function targetOf(name: string, changes: Partial<Needs> = {}, lengthBytes = 12 * mebibyte): VerifiedTarget {
  const sha256 = name.padEnd(64, "0");
  const full = { sha256, length: 3 * mebibyte };
  const release = { component: name, version: "1.0.0", counter: 1, needs: { ...needs, ...changes }, full, deltas: {} };
  return { path: `${name}/1.0.0.wasm`, lengthBytes, sha256, release };
}

function deploymentOf(...memories: readonly (string | undefined)[]): Deployment {
  const components = Object.fromEntries(
    memories.map((memory, n) => [`c${n}`, { release: "boiler@1.0.0", ...(memory && { limits: { memory } }) }]),
  );
  return parseValue(deploymentSchema, { version: 1, gateway: "g-1", components }, { what: "test" });
}

const one = deploymentOf(undefined);
const blobBytes = 3 * mebibyte;

interface Case {
  readonly target?: VerifiedTarget;
  readonly changes?: Partial<GatewayFacts>;
  readonly deployment?: Deployment;
}

/** The second of two targets; the first has nothing in its way. */
function check({ target = targetOf("b"), changes = {}, deployment = one }: Case): Refusal | undefined {
  const targets = [targetOf("a"), target].map((wanted) => ({ target: wanted, blobBytes }));
  return refuseBeforeFetch({ deployment, targets }, { ...facts, ...changes });
}

const tight = { memory: { totalBytes: 512 * mebibyte, availableBytes: mebibyte } };
const lasting: readonly (readonly [RuleId, Case, readonly string[]])[] = [
  ["delivery.size", { target: targetOf("b", {}, limits.blob.componentMaxBytes + 1) }, ["50331649", "50331648"]],
  ["delivery.hardware", { target: targetOf("b", { hardware: ["pi-5"] }) }, ["b/1.0.0", "pi-5", "pi-4, acme-gw-2"]],
  ["delivery.hardware", { target: targetOf("b", { hardware: ["pi-5"] }), changes: { hardware: [] } }, ["no hardware"]],
  ["delivery.agent", { target: targetOf("b", { agent: "0.10.0" }) }, ["0.10.0", "0.9.3"]],
  ["delivery.world", { target: targetOf("b", { imports: ["wasi:http/types@0.2.0"] }) }, ["wasi:http/types@0.2.0"]],
  ["delivery.world", { target: targetOf("b", { imports: ["wasi:io/poll@0.3.0"] }) }, ["wasi:io/poll@0.3.0"]],
  ["delivery.world", { target: targetOf("b", { imports: ["wasi:io/poll"] }) }, ["wasi:io/poll"]],
];
const passing: typeof lasting = [
  ["delivery.disk", { changes: { freeDiskBytes: 94 * mebibyte } }, ["95.0 MiB", "94.0 MiB", "24.0 MiB of"]],
  ["delivery.memory", { deployment: deploymentOf("400MiB", "100MiB") }, ["500.0 MiB", "512.0 MiB"]],
  ["delivery.memory", { changes: tight }, ["10.0 MiB", "1.0 MiB"]],
];

describe("a deployment", () => {
  it("passes when every target of it can run here", () => {
    expect(check({ target: targetOf("b", { hardware: ["pi-5", "pi-4"], agent: "0.9.3" }) })).toBeUndefined();
    expect(check({ target: targetOf("b", { agent: "0.8.10" }) })).toBeUndefined();
    const { needs: _needs, ...release } = targetOf("b").release;
    expect(check({ target: { ...targetOf("b"), release } })).toBeUndefined();
  });

  it.each([...lasting, ...passing])("is refused under %s, with the numbers that decided it", (rule, wrong, words) => {
    const refusal = check(wrong);
    expect(refusal?.rule).toBe(rule);
    for (const word of words) expect(refusal?.seen).toContain(word);
    expect(refusal?.fix).not.toBe("");
  });

  it("is looked at again only when that may change by itself", () => {
    const judge = (cases: typeof lasting): boolean[] =>
      cases
        .map(([, wrong]) => isLasting(check(wrong) as Refusal))
        .filter((last, place, all) => all.indexOf(last) === place);
    expect([judge(lasting), judge(passing)]).toEqual([[true], [false]]);
  });

  it("needs no more disk and no more threads for what is there and runs", () => {
    const full = { freeDiskBytes: 0, running: 1, memory: { totalBytes: 512 * mebibyte, availableBytes: 0 } };
    const installed = { deployment: one, targets: [{ target: targetOf("b"), blobBytes: undefined }] };
    expect(refuseBeforeFetch(installed, { ...facts, ...full })).toBeUndefined();
  });

  it("is not refused for limits that were never asked for", () => {
    const deployment = deploymentOf(...Array.from({ length: 20 }, () => undefined));
    const memory = { totalBytes: 256 * mebibyte, availableBytes: 250 * mebibyte };
    expect(check({ deployment, changes: { memory } })).toBeUndefined();
  });
});

it("weighs the blob that would be fetched against the disk as it is", async () => {
  const disk = createMemoryDisk();
  const stores = {
    store: await openComponentStore(disk, "/components", silentLog),
    downloads: await openDownloads(disk, "/downloads"),
  };
  const precheck = createPrecheck({
    stores,
    disk,
    stateDirectory: "/",
    board: { hardware: [] },
    memory: () => facts.memory,
    running: () => 1,
  });
  const base = new TextEncoder().encode("the base");
  const target = targetOf("b", {}, 1000);
  const delta = { sha256: "d".repeat(64), length: 1 };
  const withDelta = { ...target, release: { ...target.release, deltas: { [targetFor(base).sha256]: delta } } };
  disk.free = limits.blob.diskReserveBytes + 2500 + 1;
  expect(await precheck(one, [withDelta])).toMatchObject({ rule: "delivery.disk" });
  await installBytes(stores.store, base);
  expect(await precheck(one, [withDelta])).toBeUndefined();
  expect(await precheck(one, [target])).toMatchObject({ rule: "delivery.disk" });
  await using _download = await stores.downloads.open(target.release.full);
  expect(await precheck(one, [target])).toBeUndefined();
});
