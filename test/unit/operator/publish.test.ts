// Publishing puts content before what names it, and may be repeated at will.
import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { addRelease, listReleases } from "../../../src/operator/repository/addRelease.ts";
import { createDirector, deploy } from "../../../src/operator/repository/director.ts";
import { blobPath } from "../../../src/operator/repository/places.ts";
import { publishDeployment, publishDirector, publishRelease } from "../../../src/operator/publish.ts";
import { limits } from "../../../src/base/limits.ts";
import { createFleet } from "../../support/fleet.ts";
import type { Fleet } from "../../support/fleet.ts";

interface Message {
  topic: string;
  payload: Uint8Array | string;
  retain?: boolean;
}

function createRecorder(): { readonly messages: Message[]; publish(message: Message): Promise<void> } {
  const messages: Message[] = [];
  return { messages, publish: async (message) => void messages.push(message) };
}

const boiler = { component: "boiler", version: "1.0.0" };

async function addBoiler(fleet: Fleet): Promise<void> {
  // Too random to compress, so that the blob takes several chunks.
  let state = 1;
  const wasmBytes = Uint8Array.from({ length: 3 * limits.blob.chunkSizeBytes }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return state >> 8;
  });
  await addRelease(fleet.workspace, { ...boiler, wasmBytes });
}

describe("publishing", () => {
  test("sends chunks, then roots, targets, snapshot, and the timestamp last, all retained", async () => {
    await using fleet = await createFleet();
    await addBoiler(fleet);
    const recorder = createRecorder();
    await publishRelease(fleet.workspace, boiler, recorder);
    const topics = recorder.messages.map(({ topic }) =>
      topic.replace("outstation/v1/", "").replace(/[0-9a-f]{64}/, "*"),
    );
    const chunks = topics.filter((topic) => topic.startsWith("blob/"));
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks).toEqual(chunks.map((_, n) => `blob/*/${n}`));
    expect(topics.slice(chunks.length)).toEqual(
      ["1.root.json", "2.targets.json", "2.snapshot.json", "from.1.round", "timestamp.json"].map(
        (file) => `image/${file}`,
      ),
    );
    expect(recorder.messages.every(({ retain }) => retain)).toBe(true);
    expect(recorder.messages.every(({ payload }) => payload.length <= limits.blob.chunkSizeBytes)).toBe(true);
  });

  test("sends a director's documents before its metadata, under the gateway's own topics", async () => {
    await using fleet = await createFleet();
    await addBoiler(fleet);
    await createDirector(fleet.workspace, "plant-7");
    await deploy(fleet.workspace, "plant-7", { boiler: { release: "boiler@1.0.0" } });
    const recorder = createRecorder();
    await publishDirector(fleet.workspace, "plant-7", recorder);
    const topics = recorder.messages.map(({ topic }) => topic.replace(/[0-9a-f]{64}/, "*"));
    const files = ["*.deployment.json", "*.operators.json", "1.root.json", "2.targets.json", "2.snapshot.json"];
    expect(topics).toEqual(
      [...files, "from.1.round", "timestamp.json"].map((file) => `outstation/v1/gateway/plant-7/in/director/${file}`),
    );
  });

  test("says the same when it is repeated", async () => {
    await using fleet = await createFleet();
    await addBoiler(fleet);
    const [first, second] = [createRecorder(), createRecorder()];
    await publishRelease(fleet.workspace, boiler, first);
    await publishRelease(fleet.workspace, boiler, second);
    expect(second.messages).toEqual(first.messages);
  });

  test("renews the image repository with a deployment when half of its freshness is gone, and not before", async () => {
    await using fleet = await createFleet();
    await addBoiler(fleet);
    await createDirector(fleet.workspace, "plant-7");
    await deploy(fleet.workspace, "plant-7", { boiler: { release: "boiler@1.0.0" } });
    const half = fleet.workspace.expiries.timestampMs / 2;
    const [early, late] = [createRecorder(), createRecorder()];
    fleet.time.nowMs += half - 1000;
    await publishDeployment(fleet.workspace, "plant-7", early);
    expect(early.messages.filter(({ topic }) => topic.includes("/image/"))).toEqual([]);
    fleet.time.nowMs += 1000;
    await publishDeployment(fleet.workspace, "plant-7", late);
    expect(late.messages.map(({ topic }) => topic)).toEqual(
      expect.arrayContaining(["outstation/v1/image/3.snapshot.json", "outstation/v1/image/2.targets.json"]),
    );
  });

  test("publishes no blob that the disk damaged", async () => {
    await using fleet = await createFleet();
    await addBoiler(fleet);
    const [listed] = await listReleases(fleet.workspace, "boiler");
    await writeFile(blobPath(fleet.workspace, listed?.release.full.sha256 ?? ""), "rotten");
    await expect(publishRelease(fleet.workspace, boiler, createRecorder())).rejects.toMatchObject({
      code: "file-failed",
    });
  });

  test("names what is missing", async () => {
    await using fleet = await createFleet();
    const recorder = createRecorder();
    await expect(publishRelease(fleet.workspace, boiler, recorder)).rejects.toMatchObject({ code: "release-missing" });
    await expect(publishDirector(fleet.workspace, "plant-7", recorder)).rejects.toMatchObject({
      code: "gateway-missing",
    });
    expect(recorder.messages).toEqual([]);
  });
});
