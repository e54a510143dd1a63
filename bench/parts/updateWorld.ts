// A gateway whose every byte is seen: the demo's world on mosquitto, with a tap between it and the broker.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { boilerDeployment } from "../../demo/parts/deployment.ts";
import { createWorld, gateway, type World } from "../../demo/parts/world.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { startMosquitto } from "../../test/support/brokers.ts";
import type { Packet } from "./packets.ts";
import { startWireTap } from "./wireTap.ts";

export interface UpdateWorld extends AsyncDisposable {
  readonly world: World;
  /** Releases the bytes as boiler@<version> and publishes them; resolves to its length as zstd, level 19. */
  release(version: string, component: Uint8Array): Promise<number>;
  deployFirst(): Promise<void>;
  /** Every packet of the gateway from the beginning of the action until nothing has moved for a while. */
  watch(action: () => Promise<void>): Promise<readonly Packet[]>;
  /** Publishes the director's timestamp once more as it is: a look with nothing new. */
  nudge(): Promise<void>;
}

const quietMs = 1500;

export async function createUpdateWorld(): Promise<UpdateWorld> {
  const broker = await startMosquitto();
  const tap = await startWireTap(broker.url);
  const stop = async (): Promise<void> => {
    tap.stop();
    await broker[Symbol.asyncDispose]();
  };
  const world = await createWorld({ startBroker: async () => ({ url: tap.url, stop }) });
  const packets = (): readonly Packet[] => tap.packetsOf(gateway);
  return {
    world,
    release: async (version, component) => {
      const file = join(world.directory, `boiler-${version}.wasm`);
      await writeFile(file, component);
      const { stdout } = await world.outstation(["release", `boiler@${version}`, file, "--json"]);
      return (JSON.parse(stdout) as { fullBytes: number }).fullBytes;
    },
    deployFirst: async () => {
      const file = join(world.directory, "deployment.json");
      await writeFile(file, JSON.stringify(createQuietDeployment(world.udpPort), undefined, 2));
      await world.outstation(["deploy", gateway, file]);
    },
    watch: async (action) => {
      await quiet(packets);
      const before = packets().length;
      await action();
      await quiet(packets);
      return packets().slice(before);
    },
    nudge: () => publishTimestampAgain(broker.url),
    [Symbol.asyncDispose]: () => world.stop(false),
  };
}

/** The boiler as in the demo, but without its timer: no reading is among what is counted. */
function createQuietDeployment(udpPort: number): unknown {
  const { components } = boilerDeployment(udpPort) as { components: { boiler: object } };
  return { components: { boiler: { ...components.boiler, triggers: {} } } };
}

async function publishTimestampAgain(url: string): Promise<void> {
  const topic = createTopics().gateway(gateway).director("timestamp.json");
  const client = await connectAsync(url, { protocolVersion: 4 });
  const retained = new Promise<Buffer>((resolve) => client.once("message", (_topic, payload) => resolve(payload)));
  await client.subscribeAsync(topic, { qos: 1 });
  await client.publishAsync(topic, await retained, { qos: 1, retain: true });
  await client.endAsync();
}

async function quiet(packets: () => readonly Packet[]): Promise<void> {
  for (let before = -1; before !== packets().length;) {
    before = packets().length;
    await new Promise((resolve) => setTimeout(resolve, quietMs));
  }
}
