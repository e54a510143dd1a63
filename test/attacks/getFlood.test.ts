// Attack: a gateway that was taken over asks the fleet's server without end; its log, like its answers, has a bound for each gateway.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { limits } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import type { MessageHandler } from "../../src/link/link.ts";
import { answerGets } from "../../src/operator/serve/answerGets.ts";
import { imageDirectory } from "../../src/operator/repository/places.ts";
import type { Session } from "../../src/operator/session.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { createFleet, release } from "../support/fleet.ts";

const timestamp = JSON.stringify({ want: "file", repository: "image", file: "timestamp.json" });

test.each([
  ["what nobody understands", "{", 0],
  ["a directory in place of a file", JSON.stringify({ want: "file", repository: "image", file: "old" }), 0],
  ["more than its share", timestamp, limits.serve.burst],
])("writes few lines about %s, and still answers another", async (_what, request, answers) => {
  await using fleet = await createFleet();
  await release(fleet, { version: "1.0.0" });
  await mkdir(join(imageDirectory(fleet.workspace), "old"));
  const topics = createTopics();
  const published: string[] = [];
  let receive: MessageHandler = () => undefined;
  const link = {
    subscribe: async (_filter: string, handler: MessageHandler) => {
      receive = handler;
      return async () => undefined;
    },
    publish: async ({ topic }: { topic: string }) => void published.push(topic),
  };
  let lines = 0;
  const log = { ...silentLog, warn: () => (lines += 1) };
  const session = { link, topics } as unknown as Session;
  await answerGets({ workspace: fleet.workspace, session, log });
  const ask = async (gateway: string, text: string): Promise<void> =>
    await receive(topics.gateway(gateway).get("request-1"), Buffer.from(text), false);
  for (let count = 0; count < 3 * limits.serve.burst; count += 1) await ask("plant-7", request);
  expect(lines).toBeLessThanOrEqual(limits.serve.warnings.burst);
  expect(published).toHaveLength(answers);
  await ask("plant-7", timestamp);
  await ask("plant-8", timestamp);
  expect(published.filter((topic) => topic.includes("plant-8"))).toHaveLength(1);
  expect(published.filter((topic) => topic.includes("plant-7")).length).toBeLessThanOrEqual(limits.serve.burst);
});
