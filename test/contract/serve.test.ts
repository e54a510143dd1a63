// The fleet's server on real brokers: a wiped one is filled, what ages is signed again, what nobody runs goes, who asks is answered.
import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { answerGets } from "../../src/operator/serve/answerGets.ts";
import { runPass, serveFleet } from "../../src/operator/serve/serveFleet.ts";
import { publishDeployment } from "../../src/operator/publish.ts";
import { loadPublishedBlobs } from "../../src/operator/publishBlobs.ts";
import { listReleases } from "../../src/operator/repository/addRelease.ts";
import {
  blobPath,
  directorDirectory,
  directorRootDirectory,
  imageDirectory,
} from "../../src/operator/repository/places.ts";
import { openSession, type Session } from "../../src/operator/session.ts";
import type { Workspace } from "../../src/operator/workspace.ts";
import { unpackFile } from "../../src/protocol/packing.ts";
import { attestTime } from "../../src/trust/attestTime.ts";
import { createAsker } from "../support/asker.ts";
import { mosquittoMissing, startAedes, startMosquitto, type Broker } from "../support/brokers.ts";
import { completeRoot, keyFile } from "../support/ceremony.ts";
import { createFleet, createWasm, dayMs, deployTo, release, type Fleet } from "../support/fleet.ts";
import { openSpy, untilOffline, untilOnline } from "../support/links.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";
import { describeNeeding } from "../support/needs.ts";

interface Server extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly workspace: Workspace;
  readonly session: Session;
}

async function startServer(broker: Broker): Promise<Server> {
  const fleet = await createFleet();
  const workspace = { ...fleet.workspace, settings: { ...fleet.workspace.settings, broker: broker.url } };
  const session = await openSession(workspace.settings, { clock: systemClock, random: systemRandom });
  const dispose = async (): Promise<void> => {
    await session[Symbol.asyncDispose]();
    await fleet[Symbol.asyncDispose]();
  };
  return { fleet, workspace, session, [Symbol.asyncDispose]: dispose };
}

async function fetchHeld({ link }: Session, topic: string): Promise<Uint8Array | undefined> {
  return link.fetch(topic, { maxBytes: 100_000, timeoutMs: 1000 }).catch(() => undefined);
}

const nothing = {
  renewed: { image: false, directors: 0 },
  republished: { image: false, directors: 0, blobs: 0 },
  cleared: { blobs: 0, files: 0 },
};

function suite(start: () => Promise<Broker>): void {
  test("fills a broker that was wiped, and leaves one alone that has everything", async () => {
    await using broker = await start();
    await using server = await startServer(broker);
    const { fleet, session } = server;
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await deployTo(fleet, "plant-8", "boiler@1.0.0");
    const options = { ...server, log: silentLog };
    expect(await runPass(options)).toMatchObject({ republished: { image: true, directors: 2, blobs: 1 } });
    expect(await runPass(options)).toEqual(nothing);
    const dropped = untilOffline(session.link);
    await broker.stop();
    await broker.start();
    await dropped;
    await untilOnline(session.link);
    expect(await runPass(options)).toMatchObject({ republished: { image: true, directors: 2, blobs: 1 } });
    const held = await fetchHeld(session, session.topics.image("timestamp.json"));
    const { bytes } = await unpackFile(held ?? new Uint8Array(), 10_000);
    expect(bytes).toEqual(await readFile(join(imageDirectory(server.workspace), "timestamp.json")));
  });

  test("signs again what has less than half of its time left, and publishes it", async () => {
    await using broker = await start();
    await using server = await startServer(broker);
    const { fleet, session } = server;
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const options = { ...server, log: silentLog };
    await runPass(options);
    fleet.time.nowMs += 4 * dayMs;
    expect(await runPass(options)).toMatchObject({ renewed: { image: true, directors: 1 } });
    for (const topic of [
      session.topics.image("timestamp.json"),
      session.topics.gateway("plant-7").director("timestamp.json"),
    ]) {
      const { bytes } = await unpackFile((await fetchHeld(session, topic)) ?? new Uint8Array(), 10_000);
      const { signed } = JSON.parse(Buffer.from(bytes).toString()) as { signed: { expires: string } };
      expect(Date.parse(signed.expires)).toBe(fleet.time.nowMs + 7 * dayMs);
    }
    expect(await runPass(options)).toMatchObject({ renewed: nothing.renewed });
  });

  test("clears what no gateway is to run, and a later deployment brings it back", async () => {
    await using broker = await start();
    await using server = await startServer(broker);
    const { fleet, session, workspace } = server;
    for (let minor = 0; minor < 6; minor += 1) await release(fleet, { version: `1.${minor}.0` });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const options = { ...server, log: silentLog };
    await runPass(options);
    const releases = await listReleases(workspace);
    const blobsOf = (version: string): string[] =>
      releases
        .filter((listed) => listed.release.version === version)
        .flatMap((listed) => [
          listed.release.full.sha256,
          ...Object.values(listed.release.deltas).map((d) => d.sha256),
        ]);
    const isHeld = async (sha256: string): Promise<boolean> =>
      (await fetchHeld(session, session.topics.blob(sha256, 0))) !== undefined;
    const published = await loadPublishedBlobs(workspace);
    for (const version of ["1.0.0", "1.3.0", "1.4.0", "1.5.0"])
      for (const sha256 of blobsOf(version))
        expect([published.has(sha256), await isHeld(sha256)]).toEqual([true, true]);
    const gone = blobsOf("1.1.0").filter((sha256) => !published.has(sha256));
    expect(gone.length).toBeGreaterThan(1);
    for (const sha256 of gone) expect(await isHeld(sha256)).toBe(false);
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    await publishDeployment(workspace, "plant-7", session.link);
    for (const sha256 of gone) expect(await isHeld(sha256)).toBe(true);
    expect(await runPass(options)).toMatchObject({ cleared: { blobs: 1 } });
  });

  test("clears metadata of old rounds and lays its files aside", async () => {
    await using broker = await start();
    await using server = await startServer(broker);
    const { fleet, session, workspace } = server;
    await release(fleet, { version: "1.0.0" });
    const options = { ...server, log: silentLog };
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await runPass(options);
    const topics = session.topics.gateway("plant-7");
    expect(await fetchHeld(session, topics.director("2.targets.json"))).toBeDefined();
    for (let count = 0; count < 5; count += 1) await deployTo(fleet, "plant-7", "boiler@1.0.0");
    expect((await runPass(options)).cleared.files).toBeGreaterThan(3);
    const kept = await readdir(directorDirectory(workspace, "plant-7"));
    expect(kept.filter((name) => name.endsWith("snapshot.json"))).toEqual([
      "5.snapshot.json",
      "6.snapshot.json",
      "7.snapshot.json",
    ]);
    expect(kept.filter((name) => name.endsWith("deployment.json")).length).toBe(3);
    expect(await fetchHeld(session, topics.director("2.targets.json"))).toBeUndefined();
    expect(await fetchHeld(session, topics.director("from.4.round"))).toBeUndefined();
    expect(await fetchHeld(session, topics.director("from.6.round"))).toBeDefined();
    expect(await readdir(join(directorDirectory(workspace, "plant-7"), "old"))).toContain("2.targets.json");
    expect(await runPass(options)).toEqual(nothing);
  });

  test("answers with chunks, files and the time, and with nothing that is not this gateway's", async () => {
    await using broker = await start();
    await using server = await startServer(broker);
    const { fleet, session, workspace } = server;
    const wasmBytes = createWasm("boiler", 40_000);
    await release(fleet, { version: "1.0.0", wasmBytes });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const [listed] = await listReleases(workspace);
    const sha256 = listed?.release.full.sha256 ?? "";
    const blob = await readFile(blobPath(workspace, sha256));
    expect(blob.length).toBeGreaterThan(limits.blob.chunkSizeBytes);
    const stop = await answerGets({ ...server, log: silentLog });
    const ask = createAsker(session);
    expect(await ask("plant-7", { want: "blob", sha256, chunks: [1, 0] }, 2)).toEqual([
      ["0", blob.subarray(0, limits.blob.chunkSizeBytes)],
      ["1", blob.subarray(limits.blob.chunkSizeBytes, 2 * limits.blob.chunkSizeBytes)],
    ]);
    const none = [["none", Buffer.alloc(0)]];
    expect(await ask("plant-7", { want: "blob", sha256, chunks: [10_000] })).toEqual(none);
    expect(await ask("plant-7", { want: "blob", sha256: "0".repeat(64), chunks: [0] })).toEqual(none);
    const timestamp = await readFile(join(directorDirectory(workspace, "plant-7"), "timestamp.json"));
    const [part] = await ask("plant-7", { want: "file", repository: "director", file: "timestamp.json" });
    const { bytes, hint } = await unpackFile(part?.[1] ?? new Uint8Array(), 10_000);
    expect([part?.[0], bytes, hint]).toEqual(["0", timestamp, { root: 1, snapshot: 2, oldestBase: 2 }]);
    expect(await ask("plant-8", { want: "file", repository: "director", file: "timestamp.json" })).toEqual(none);
    expect((await ask("plant-8", { want: "file", repository: "director", file: "1.root.json" }))[0]?.[0]).toBe("0");
    expect((await ask("plant-8", { want: "file", repository: "image", file: "2.targets.json" }))[0]?.[0]).toBe("0");
    const nonce = "0123456789abcdef";
    const [answer] = await ask("plant-7", { want: "time", nonce });
    const disk = createMemoryDisk();
    const factoryRoot = new TextEncoder().encode(fleet.factory.directorRoot);
    const director = { disk, directory: "/d", factoryRoot, log: silentLog };
    const question = { gateway: "plant-7", nonce };
    expect(await attestTime({ disk, directory: "/t", director }, question, answer?.[1] ?? new Uint8Array())).toBe(
      fleet.time.nowMs,
    );
    await stop();
  });

  test("signs the time with the key that the newest root names, when the first one is gone", async () => {
    await using broker = await start();
    await using server = await startServer(broker);
    const { fleet, workspace } = server;
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const { proposals } = await rotateKey(workspace, "director");
    await completeRoot(fleet, proposals[0], ["director-root"]);
    await rm(keyFile(workspace, "director"));
    const stop = await answerGets({ ...server, log: silentLog });
    const question = { gateway: "plant-7", nonce: "0123456789abcdef" };
    const [answer] = await createAsker(server.session)("plant-7", { want: "time", nonce: question.nonce });
    const disk = createMemoryDisk();
    const factoryRoot = await readFile(join(directorRootDirectory(workspace), "2.root.json"));
    const director = { disk, directory: "/d", factoryRoot, log: silentLog };
    expect(await attestTime({ disk, directory: "/t", director }, question, answer?.[1] ?? new Uint8Array())).toBe(
      fleet.time.nowMs,
    );
    await stop();
  });

  test("does not answer what is malformed, leads out of the directory, or is more than a gateway's share", async () => {
    await using broker = await start();
    await using server = await startServer(broker);
    await using spy = await openSpy(broker.url, "outstation/v1/gateway/+/in/got/#");
    await release(server.fleet, { version: "1.0.0" });
    const refused: string[] = [];
    const log = { ...silentLog, warn: (_fields: object, message: string) => void refused.push(message) };
    const stop = await answerGets({ ...server, log });
    const put = (request: string, id = "request-1"): Promise<void> =>
      spy.publish(`outstation/v1/gateway/plant-7/out/get/${id}`, request);
    const file = (name: string): string => JSON.stringify({ want: "file", repository: "image", file: name });
    for (const request of [
      "",
      "{",
      "x".repeat(5000),
      file("../outstation.json"),
      file("..%2f"),
      file("a/b"),
      '{"want":"keys"}',
    ])
      await put(request);
    await put(
      JSON.stringify({ want: "blob", sha256: "0".repeat(64), chunks: Array.from({ length: 17 }, (_, n) => n) }),
    );
    await put(file("timestamp.json"), "short");
    await put(file("../x"), "request-2");
    for (let count = 0; count <= limits.serve.burst; count += 1)
      await put(file("timestamp.json"), `burst-${1000 + count}`);
    await spy.publish("outstation/v1/gateway/plant-8/out/get/request-last", file("timestamp.json"));
    await new Promise<void>((resolve) => {
      spy.client.on("message", (topic) => void (topic.includes("request-last") && resolve()));
    });
    const topics = spy.seen.map((line) => line.split(" ", 1)[0] ?? "");
    expect(
      topics.filter((topic) => topic.includes("request-1") || topic.includes("request-2") || topic.includes("short")),
    ).toEqual([]);
    expect(topics.filter((topic) => topic.includes("burst-")).length).toBeLessThanOrEqual(limits.serve.burst + 20);
    expect(topics.filter((topic) => topic.includes(`burst-${1000 + limits.serve.burst}`))).toEqual([]);
    expect(refused.length).toBeGreaterThan(8);
    await stop();
  });

  test("serves until it is told to stop, with a look at the fleet at every connect", async () => {
    await using broker = await start();
    await using server = await startServer(broker);
    await release(server.fleet, { version: "1.0.0" });
    const stop = new AbortController();
    const looks: unknown[] = [];
    let looked = (): void => {};
    const nextLook = (): Promise<void> => new Promise((resolve) => (looked = resolve));
    const first = nextLook();
    const serving = serveFleet({ ...server, log: silentLog }, stop.signal, (pass) => {
      looks.push(pass.republished);
      looked();
    });
    await first;
    const second = nextLook();
    await broker.stop();
    await broker.start();
    await second;
    stop.abort();
    await serving;
    expect(looks).toEqual([expect.objectContaining({ blobs: 1 }), expect.objectContaining({ blobs: 1 })]);
  });
}

describeNeeding(mosquittoMissing(), "the fleet's server on mosquitto", () => suite(() => startMosquitto()));
describe("the fleet's server on aedes", () => {
  suite(() => startAedes());
});
