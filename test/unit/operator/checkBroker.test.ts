// A broker that holds the newest timestamp under an old hint hides the newest root: that is as good as not holding it.
import { expect, test } from "vitest";
import { rotateKey } from "../../../src/operator/ceremony/changeKeys.ts";
import { refillBroker } from "../../../src/operator/serve/checkBroker.ts";
import type { Session } from "../../../src/operator/session.ts";
import { unpackFile } from "../../../src/protocol/packing.ts";
import { createTopics } from "../../../src/protocol/topics.ts";
import { completeRoot } from "../../support/ceremony.ts";
import { createFleet, createGateway, deployTo, expectDeployed, hintRoot, release } from "../../support/fleet.ts";
import type { Fleet } from "../../support/fleet.ts";
import { createMapLink } from "../../support/mapLink.ts";

function openMapSession({ broker, publisher }: Fleet): Session {
  const link = { ...createMapLink(async (topic) => broker.get(topic)), publish: publisher.publish };
  return { link, topics: createTopics() } as unknown as Session;
}

test.each(["image", "director"] as const)(
  "publishes the %s again when its hint hides the newest root",
  async (name) => {
    await using fleet = await createFleet();
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const { proposals } = await rotateKey(fleet.workspace, name === "image" ? "timestamp" : "director");
    await completeRoot(fleet, proposals[0], name === "image" ? ["root-1", "root-2"] : ["director-root"]);
    const { image, gateway } = createTopics();
    const topic = name === "image" ? image("timestamp.json") : gateway("plant-7").director("timestamp.json");
    // Somebody published just before the new root, and his last message came after ours.
    await hintRoot(fleet, topic, 1);
    expect(await createGateway(fleet).refresh()).toMatchObject({ kind: "refused" });
    const session = openMapSession(fleet);
    const again = { image: name === "image", directors: name === "director" ? 1 : 0, blobs: 0 };
    expect(await refillBroker(fleet.workspace, session)).toEqual(again);
    const { hint } = await unpackFile(fleet.broker.get(topic) ?? new Uint8Array(), 10_000);
    expect(hint?.root).toBe(2);
    await expectDeployed(createGateway(fleet), 1);
    expect(await refillBroker(fleet.workspace, session)).toEqual({ image: false, directors: 0, blobs: 0 });
  },
);
