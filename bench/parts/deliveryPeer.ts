// One process of the delivery benchmark: installs a component over MQTT, or fetches its blob with plain mqtt.js, once.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "mqtt";
import type * as deliveryModule from "../../src/agent/delivery.ts";
import { systemClock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import type * as askModule from "../../src/link/ask.ts";
import type * as openLinkModule from "../../src/link/openLink.ts";
import type { BlobReference, VerifiedTarget } from "../../src/protocol/release.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import type * as componentStoreModule from "../../src/store/componentStore.ts";
import type * as downloadsModule from "../../src/store/downloads.ts";
import type * as nodeDiskModule from "../../src/store/nodeDisk.ts";

export interface DeliveryRun {
  readonly kind: "outstation" | "mqtt.js";
  readonly url: string;
  readonly target: VerifiedTarget;
}

export interface DeliveryFigures {
  readonly wallMs: number;
  /** The highest resident memory while it ran over the one before it. */
  readonly grownBytes: number;
}

const run = JSON.parse(process.argv[2] ?? "{}") as DeliveryRun;
const figures = await (run.kind === "outstation" ? install(run) : fetchPlainly(run));
console.log(JSON.stringify(figures));
process.exit(0);

/** What ships: the compiled files. */
async function load<Module>(path: string): Promise<Module> {
  return (await import(new URL(`../../dist/src/${path}`, import.meta.url).href)) as Module;
}

async function install({ url, target }: DeliveryRun): Promise<DeliveryFigures> {
  const { openLink } = await load<typeof openLinkModule>("link/openLink.js");
  const { createAsk } = await load<typeof askModule>("link/ask.js");
  const { createDelivery } = await load<typeof deliveryModule>("agent/delivery.js");
  const { openNodeDisk } = await load<typeof nodeDiskModule>("store/nodeDisk.js");
  const { openDownloads } = await load<typeof downloadsModule>("store/downloads.js");
  const { openComponentStore } = await load<typeof componentStoreModule>("store/componentStore.js");
  const directory = await mkdtemp(join(tmpdir(), "outstation-bench-"));
  const shared = { clock: systemClock, random: systemRandom, log: silentLog };
  const link = openLink({ url, clientId: "bench", protocol: "auto", ...shared });
  const disk = await openNodeDisk(directory);
  const stores = {
    store: await openComponentStore(disk, join(directory, "components"), silentLog),
    downloads: await openDownloads(disk, join(directory, "downloads")),
  };
  const topics = createTopics();
  const ask = createAsk({ link, topics: topics.gateway("bench"), ...shared });
  const { signal } = new AbortController();
  const deliver = createDelivery({ link, topics, ask, stores, signal, onProgress: () => undefined, ...shared });
  if (!link.online) await new Promise<void>((resolve) => void link.onOnline(resolve));
  const figures = await measure(async () => {
    const refusal = await deliver([target]);
    if (refusal !== undefined) throw new Error(refusal.seen);
  });
  await rm(directory, { recursive: true });
  return figures;
}

/** All chunks in one SUBSCRIBE, kept in memory, nothing checked and nothing written. */
async function fetchPlainly({ url, target }: DeliveryRun): Promise<DeliveryFigures> {
  const client = connect(url, { protocolVersion: 4, reconnectPeriod: 0 });
  await new Promise<void>((resolve) => void client.once("connect", () => resolve()));
  const { sha256, length }: BlobReference = target.release.full;
  const chunks = Math.ceil(length / limits.blob.chunkSizeBytes);
  const topics = Array.from({ length: chunks }, (_, chunk) => createTopics().blob(sha256, chunk));
  return measure(async () => {
    const received: Buffer[] = [];
    const whole = new Promise<void>((resolve) => {
      client.on("message", (_topic, payload) => {
        received.push(payload);
        if (received.length === chunks) resolve();
      });
    });
    client.subscribe(topics, { qos: 0 });
    await whole;
  });
}

async function measure(task: () => Promise<void>): Promise<DeliveryFigures> {
  // The highest so far is forgotten (proc(5), clear_refs).
  await writeFile("/proc/self/clear_refs", "5");
  const before = await readHighestRss();
  const started = performance.now();
  await task();
  const wallMs = performance.now() - started;
  return { wallMs, grownBytes: (await readHighestRss()) - before };
}

async function readHighestRss(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
