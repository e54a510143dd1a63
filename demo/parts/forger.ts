// What somebody with access to the broker, but without the keys, might try; each attempt resolves to the rule that stopped it.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { systemClock } from "../../src/base/clock.ts";
import { publishDirector, publishImage, publishRelease } from "../../src/operator/publish.ts";
import type { Publisher } from "../../src/operator/publisher.ts";
import { openWorkspace, type Workspace } from "../../src/operator/workspace.ts";
import { listReleases } from "../../src/operator/repository/addRelease.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { withDeviation } from "./edits.ts";
import { run } from "./processes.ts";
import { gateway, type World } from "./world.ts";

export interface Forger {
  releaseWithWrongKey(): Promise<string>;
  tamperWithChunk(): Promise<string>;
  replayOldMetadata(): Promise<string>;
  /** Puts back what the fleet's own workspace says, and waits until the gateway agrees again. */
  restore(): Promise<void>;
}

const topics = createTopics();

export async function createForger(world: World): Promise<Forger> {
  const client = await connectAsync(world.broker.url, { protocolVersion: 4 });
  const workspace = await openWorkspace(join(world.directory, "fleet"), { clock: systemClock });
  return new BrokerForger(world, client, workspace);
}

class BrokerForger implements Forger {
  readonly #world: World;
  readonly #client: MqttClient;
  readonly #workspace: Workspace;
  readonly #publisher: Publisher;

  constructor(world: World, client: MqttClient, workspace: Workspace) {
    this.#world = world;
    this.#client = client;
    this.#workspace = workspace;
    this.#publisher = {
      publish: async ({ topic, payload, retain = false }) => {
        await client.publishAsync(topic, Buffer.from(payload), { qos: 1, retain });
      },
    };
  }

  async releaseWithWrongKey(): Promise<string> {
    const { directory, broker } = this.#world;
    const forged = join(directory, "forged");
    await mkdir(forged);
    const file = join(directory, "boiler-1.1.0.wasm");
    const deployment = join(directory, "pump-7.json");
    const refused = this.#nextRefusal();
    await this.#forge(["init", "--broker", broker.url, "--dev", "--dir", forged]);
    await this.#forge(["release", "boiler@1.0.0", file, "--dir", forged]);
    await this.#forge(["deploy", gateway, deployment, "--no-wait", "--dir", forged]);
    const rule = await refused;
    await this.#republish();
    return rule;
  }

  async tamperWithChunk(): Promise<string> {
    const version = "1.2.0";
    await this.#world.release(version, (source) => withDeviation(source).replace('unit: "K"', 'unit: "Cel"'));
    const [release] = await listReleases(this.#workspace, "boiler");
    const blobs = release === undefined ? [] : [release.release.full, ...Object.values(release.release.deltas)];
    for (const { sha256, length } of blobs) {
      const forged = Buffer.alloc(Math.min(length, 65536), "forged");
      await this.#client.publishAsync(topics.blob(sha256, 0), forged, { qos: 1, retain: true });
    }
    const refused = this.#nextRefusal();
    await this.#world.outstation(["deploy", gateway, "--release", `boiler=boiler@${version}`], 1);
    const rule = await refused;
    await publishRelease(this.#workspace, { component: "boiler", version }, this.#publisher);
    await this.#world.outstation(["deploy", gateway, "--release", "boiler=boiler@1.1.0"]);
    return rule;
  }

  async replayOldMetadata(): Promise<string> {
    const topic = topics.gateway(gateway).director("timestamp.json");
    const old = await readRetained(this.#world.broker.url, topic);
    await this.#world.outstation(["deploy", gateway, "--release", "boiler=boiler@1.1.0"]);
    const refused = this.#nextRefusal();
    await this.#client.publishAsync(topic, old, { qos: 1, retain: true });
    return refused;
  }

  async restore(): Promise<void> {
    const { observer } = this.#world;
    await this.#republish();
    await observer.until("the fleet's own deployment", () => observer.reported?.phase === "committed");
    await this.#client.endAsync();
  }

  async #republish(): Promise<void> {
    await publishImage(this.#workspace, this.#publisher);
    await publishDirector(this.#workspace, gateway, this.#publisher);
  }

  async #nextRefusal(): Promise<string> {
    const { observer } = this.#world;
    const before = observer.events.length;
    const find = (): string | undefined => observer.events.slice(before).find(({ refusal }) => refusal)?.refusal?.rule;
    await observer.until("a refusal", () => find() !== undefined);
    return find() ?? "";
  }

  async #forge(args: readonly string[]): Promise<void> {
    const outcome = await run(this.#world.programs.outstation, args);
    if (outcome.code !== 0) throw new Error(`the forger's own ${args[0]} failed: ${outcome.stderr}`);
  }
}

/** The retained message of one topic. */
async function readRetained(url: string, topic: string): Promise<Buffer> {
  const client = await connectAsync(url, { protocolVersion: 4 });
  const message = new Promise<Buffer>((resolve) => client.once("message", (_topic, payload) => resolve(payload)));
  await client.subscribeAsync(topic, { qos: 1 });
  const payload = await message;
  await client.endAsync();
  return payload;
}
