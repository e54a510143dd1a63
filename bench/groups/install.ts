// Figures of a first install over loopback: wall time against plain mqtt.js from the same broker, and memory.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { connect } from "mqtt";
import { sha256Hex } from "../../src/base/hash.ts";
import { publishBlob } from "../../src/link/publishBlob.ts";
import { compressFull } from "../../src/protocol/compression.ts";
import type { VerifiedTarget } from "../../src/protocol/release.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { mosquittoMissing, startAedes, startMosquitto } from "../../test/support/brokers.ts";
import type { Figure } from "../figure.ts";
import { startThinLink } from "../parts/thinLink.ts";
import type { DeliveryFigures, DeliveryRun } from "../parts/deliveryPeer.ts";

const rounds = 5;
/** A good cellular link. */
const thinLinkBits = 20e6;
const mebibyte = 1024 * 1024;
const execute = promisify(execFile);

export async function measureInstall(progress: (text: string) => void): Promise<readonly Figure[]> {
  await using broker = await (mosquittoMissing() === undefined ? startMosquitto() : startAedes());
  progress("compressing 12 MB, zstd 19");
  const target = await publish(broker.url, createComponent());
  const [ours, plain] = await compare(broker.url, target, progress);
  progress(`over a link of ${thinLinkBits / 1e6} Mbit/s`);
  const [oursThin, plainThin] = await compare(await startThinLink(broker.url, thinLinkBits), target, progress);
  const what = `${(target.release.full.length / 1e6).toFixed(1)} MB for 12 MB`;
  return [
    {
      figure: `first install, ${what}, verified and durable`,
      value: ours.wallMs,
      unit: "ms",
      against: `plain mqtt.js fetches the same bytes into memory, ${plain.wallMs.toFixed(0)} ms`,
      ratio: ours.wallMs / plain.wallMs,
      reach: "≤ 1.3 ×",
      met: ours.wallMs / plain.wallMs <= 1.3,
    },
    {
      figure: `the same over ${thinLinkBits / 1e6} Mbit/s`,
      value: oursThin.wallMs,
      unit: "ms",
      against: `plain mqtt.js over the same link, ${plainThin.wallMs.toFixed(0)} ms`,
      ratio: oursThin.wallMs / plainThin.wallMs,
      reach: "≤ 1.3 ×",
      met: oursThin.wallMs / plainThin.wallMs <= 1.3,
    },
    {
      figure: "resident memory the agent's process grows by meanwhile",
      value: ours.grownBytes / mebibyte,
      unit: "MiB",
      against: `plain mqtt.js, ${(plain.grownBytes / mebibyte).toFixed(1)} MiB`,
      ratio: ours.grownBytes / plain.grownBytes,
      reach: "≤ 5 MiB",
      met: ours.grownBytes <= 5 * mebibyte,
    },
  ];
}

/** Medians of ours and of plain mqtt.js, one after the other in each round. */
async function compare(
  url: string,
  target: VerifiedTarget,
  progress: (text: string) => void,
): Promise<readonly [ours: DeliveryFigures, plain: DeliveryFigures]> {
  const runs: Record<DeliveryRun["kind"], DeliveryFigures[]> = { outstation: [], "mqtt.js": [] };
  for (let round = 0; round < rounds; round += 1)
    for (const kind of ["mqtt.js", "outstation"] as const) {
      runs[kind].push(await measure({ kind, url, target }));
      progress(`${kind} ${JSON.stringify(runs[kind].at(-1))}`);
    }
  return [medians(runs.outstation), medians(runs["mqtt.js"])];
}

/** A quarter of it does not compress, as in a component that holds a JavaScript engine. */
function createComponent(): Uint8Array {
  const pieces = Array.from({ length: 184 }, (_, n) => Buffer.concat([randomBytes(16_000), Buffer.alloc(49_536, n)]));
  return Buffer.concat(pieces);
}

async function publish(url: string, bytes: Uint8Array): Promise<VerifiedTarget> {
  const client = connect(url, { protocolVersion: 4 });
  const publisher = {
    publish: async (message: { topic: string; payload: Uint8Array | string }) =>
      void (await client.publishAsync(message.topic, Buffer.from(message.payload), { qos: 1, retain: true })),
  };
  const full = await publishBlob(publisher, createTopics(), await compressFull(bytes));
  await client.endAsync();
  const release = { component: "bench", version: "1.0.0", counter: 1, full, deltas: {} };
  return { path: "bench/1.0.0.wasm", lengthBytes: bytes.length, sha256: sha256Hex(bytes), release };
}

async function measure(run: DeliveryRun): Promise<DeliveryFigures> {
  const script = new URL("../parts/deliveryPeer.ts", import.meta.url).pathname;
  const { stdout } = await execute(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    script,
    JSON.stringify(run),
  ]);
  return JSON.parse(stdout) as DeliveryFigures;
}

function medians(runs: readonly DeliveryFigures[]): DeliveryFigures {
  const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
  return {
    wallMs: median(runs.map(({ wallMs }) => wallMs)),
    grownBytes: median(runs.map(({ grownBytes }) => grownBytes)),
  };
}
