// A whole fleet in a test: a real operator workspace, a broker that is a Map, and gateways that verify from it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Clock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { addRelease } from "../../src/operator/repository/addRelease.ts";
import type { NewRelease } from "../../src/operator/repository/addRelease.ts";
import { createRepositories } from "../../src/operator/repository/create.ts";
import { createDirector, deploy } from "../../src/operator/repository/director.ts";
import { directorDirectory } from "../../src/operator/repository/places.ts";
import { loadRepository } from "../../src/operator/repository/repository.ts";
import { publishDirector, publishImage, publishRelease } from "../../src/operator/publish.ts";
import type { Publisher } from "../../src/operator/publisher.ts";
import { initWorkspace } from "../../src/operator/workspace.ts";
import type { SigningKey } from "../../src/operator/keys/key.ts";
import type { KeyName, Workspace, WorkspaceOptions } from "../../src/operator/workspace.ts";
import type { Factory } from "../../src/protocol/factory.ts";
import { packFile, unpackFile } from "../../src/protocol/packing.ts";
import { parseDocument } from "../../src/protocol/document.ts";
import type { RuleId } from "../../src/protocol/refusal.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { floorsSchema } from "../../src/trust/floors.ts";
import { refreshTrust } from "../../src/trust/refresh.ts";
import type { TrustRefresh, VerifiedDeployment } from "../../src/trust/refresh.ts";
import { createMemoryDisk } from "./memoryDisk.ts";
import type { MemoryDisk } from "./memoryDisk.ts";

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
export const startMs = Date.UTC(2027, 0, 1);

export interface Fleet extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly factory: Factory;
  /** Topic to retained payload. */
  readonly broker: Map<string, Uint8Array>;
  readonly publisher: Publisher;
  readonly time: { nowMs: number };
}

/** Component bytes that compress badly enough to be worth a delta. */
export function createWasm(seed: string, lines = 400): Uint8Array {
  return new TextEncoder().encode(
    Array.from({ length: lines }, (_, n) => `${n * 7919} ${seed.length * n}`).join() + seed,
  );
}

/** `thresholds` as `initWorkspace` takes them. */
export async function createFleet(thresholds: WorkspaceOptions["thresholds"] = {}): Promise<Fleet> {
  const directory = await mkdtemp(join(tmpdir(), "outstation-fleet-"));
  const time = { nowMs: startMs };
  const workspace = await initWorkspace(directory, {
    broker: "mqtt://broker.example",
    root: "outstation/v1",
    clock: createTestClock(time),
    dev: true,
    thresholds,
  });
  const broker = new Map<string, Uint8Array>();
  const publisher: Publisher = {
    publish: async ({ topic, payload }) => void broker.set(topic, Uint8Array.from(Buffer.from(payload))),
  };
  return {
    workspace,
    factory: await createRepositories(workspace),
    broker,
    publisher,
    time,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Releases, and publishes what the release needs. */
export async function release(fleet: Fleet, added: Partial<NewRelease> & { version: string }): Promise<void> {
  const { version, component = "boiler", wasmBytes = createWasm(`${component}@${version}`), ...rest } = added;
  await addRelease(fleet.workspace, { component, version, wasmBytes, ...rest });
  await publishRelease(fleet.workspace, { component, version }, fleet.publisher);
}

/** Deploys one release of the boiler to a gateway, which is added when it is new, and publishes it. */
export async function deployTo(fleet: Fleet, gateway: string, name: string): Promise<void> {
  const { versions } = await loadRepository(directorDirectory(fleet.workspace, gateway));
  if (versions.timestamp === 0) await createDirector(fleet.workspace, gateway);
  await deploy(fleet.workspace, gateway, { boiler: { release: name } });
  await publishDirector(fleet.workspace, gateway, fleet.publisher);
}

/** What the broker holds there, unpacked. */
export async function readHeld({ broker }: Fleet, topic: string): Promise<Uint8Array> {
  return (await unpackFile(broker.get(topic) ?? new Uint8Array(), 3_000_000)).bytes;
}

/** Says, as anybody may who writes to the broker, that roots go up to this version. */
export async function hintRoot({ broker }: Fleet, timestampTopic: string, root: number): Promise<void> {
  const { bytes, hint } = await unpackFile(broker.get(timestampTopic) ?? new Uint8Array(), 100_000);
  broker.set(timestampTopic, await packFile(bytes, { snapshot: 1, oldestBase: 1, ...hint, root }));
}

/** What a broker does that wants every file asked for by itself. */
export function withholdRounds(fleet: Fleet): void {
  for (const topic of fleet.broker.keys()) if (topic.endsWith(".round")) fleet.broker.delete(topic);
}

export async function publishAll(fleet: Fleet, gateway: string): Promise<void> {
  await publishImage(fleet.workspace, fleet.publisher);
  await publishDirector(fleet.workspace, gateway, fleet.publisher);
}

/** The workspace as a thief sees it who has every key but these, which are taken from another workspace. */
export function withForeignKeys(workspace: Workspace, other: Workspace, names: readonly KeyName[]): Workspace {
  const findKey = async (keyId: string): Promise<SigningKey | undefined> => {
    for (const name of names) if ((await workspace.loadKey(name)).keyId === keyId) return other.loadKey(name);
    return workspace.findKey(keyId);
  };
  return { ...workspace, findKey, loadKey: (name) => (names.includes(name) ? other : workspace).loadKey(name) };
}

export interface Gateway {
  readonly disk: MemoryDisk;
  readonly id: string;
  refresh(changes?: Partial<TrustRefresh>): ReturnType<typeof refreshTrust>;
}

export function createGateway(fleet: Fleet, id = "plant-7"): Gateway {
  const disk = createMemoryDisk();
  const topics = createTopics(fleet.workspace.settings.root);
  const fetchFrom =
    (topicOf: (file: string) => string): TrustRefresh["fetchDirector"] =>
    async (file) =>
      fleet.broker.get(topicOf(file));
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  return {
    disk,
    id,
    refresh: (changes = {}) =>
      refreshTrust({
        disk,
        directory: "/trust",
        factory: { imageRoot: encode(fleet.factory.imageRoot), directorRoot: encode(fleet.factory.directorRoot) },
        gateway: id,
        fetchDirector: fetchFrom(topics.gateway(id).director),
        fetchImage: fetchFrom(topics.image),
        nowMs: fleet.time.nowMs,
        log: silentLog,
        ...changes,
      }),
  };
}

/** A gateway that runs the boiler's first release, deployed to it as deployment 1. */
export async function startGateway(fleet: Fleet): Promise<Gateway> {
  const gateway = createGateway(fleet);
  await release(fleet, { version: "1.0.0" });
  await deployTo(fleet, gateway.id, "boiler@1.0.0");
  await expectDeployed(gateway, 1);
  return gateway;
}

export async function expectDeployed(gateway: Gateway, version: number): Promise<VerifiedDeployment> {
  const outcome = await gateway.refresh();
  expect(outcome).toMatchObject({ deployment: { version } });
  return outcome as VerifiedDeployment;
}

/** The refresh is refused under exactly this rule, and nothing the gateway remembers went back. */
export async function expectRefused(
  gateway: Gateway,
  rule: RuleId,
  changes: Partial<TrustRefresh> = {},
): Promise<void> {
  const before = readMemory(gateway.disk);
  expect(await gateway.refresh(changes)).toMatchObject({ kind: "refused", rule });
  expectRemembered(gateway, before);
}

/** Nothing the gateway once remembered is lower now. */
export function expectRemembered(gateway: Gateway, before: ReadonlyMap<string, number>): void {
  const after = readMemory(gateway.disk);
  for (const [name, value] of before) expect(after.get(name), `${name} went back`).toBeGreaterThanOrEqual(value);
}

/** Versions of the kept metadata and all floors; files that do not parse are left out. */
export function readMemory(disk: MemoryDisk): ReadonlyMap<string, number> {
  const memory = new Map<string, number>();
  for (const [path, bytes] of disk.files) {
    const text = new TextDecoder().decode(bytes);
    if (path.includes("floors")) {
      const { floors } = parseDocument(floorsSchema, text, { what: path });
      for (const [name, floor] of Object.entries(floors)) memory.set(`${path} ${name}`, floor.value);
    } else if (text.endsWith("}") && !path.includes("/documents/"))
      memory.set(path, (JSON.parse(text) as { signed: { version: number } }).signed.version);
  }
  return memory;
}

function createTestClock(time: { nowMs: number }): Clock {
  return {
    nowMs: () => time.nowMs,
    monotonicMs: () => time.nowMs,
    sleep: () => Promise.resolve(),
    after: () => () => {},
  };
}
