// The server's word on the time: by whichever key the director's newest root names, opened once and not for each question.
import { describe, expect, test } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import type { MessageHandler } from "../../../src/link/link.ts";
import { rotateKey } from "../../../src/operator/ceremony/changeKeys.ts";
import { directorRootDirectory } from "../../../src/operator/repository/places.ts";
import { loadRoot } from "../../../src/operator/repository/root.ts";
import { answerGets } from "../../../src/operator/serve/answerGets.ts";
import type { Session } from "../../../src/operator/session.ts";
import type { Workspace } from "../../../src/operator/workspace.ts";
import { createTopics } from "../../../src/protocol/topics.ts";
import { attestTime } from "../../../src/trust/attestTime.ts";
import { completeRoot } from "../../support/ceremony.ts";
import { createFleet, startMs, type Fleet } from "../../support/fleet.ts";
import { createMemoryDisk } from "../../support/memoryDisk.ts";

const question = { gateway: "plant-7", nonce: "0123456789abcdef" };

/** Asks as plant-7; resolves to the answer of a server in this workspace. */
async function startServer(workspace: Workspace): Promise<() => Promise<Uint8Array>> {
  const topics = createTopics();
  let receive: MessageHandler = () => undefined;
  let answered = Buffer.alloc(0);
  const link = {
    subscribe: async (_filter: string, handler: MessageHandler) => {
      receive = handler;
      return async () => undefined;
    },
    publish: async ({ payload }: { payload: Uint8Array }) => {
      answered = Buffer.from(payload);
    },
  };
  await answerGets({ workspace, session: { link, topics } as unknown as Session, log: silentLog });
  return async () => {
    answered = Buffer.alloc(0);
    const request = Buffer.from(JSON.stringify({ want: "time", nonce: question.nonce }));
    await receive(topics.gateway(question.gateway).get("request-1"), request, false);
    return answered;
  };
}

async function attest({ workspace }: Fleet, answer: Uint8Array): ReturnType<typeof attestTime> {
  const factoryRoot = (await loadRoot(directorRootDirectory(workspace))).bytes;
  const disk = createMemoryDisk();
  const director = { disk, directory: "/trust/director", factoryRoot, log: silentLog };
  return attestTime({ disk, directory: "/trust", director }, question, answer);
}

describe("the time", () => {
  test("is signed by the new key once the director's was replaced, while the server runs", async () => {
    await using fleet = await createFleet();
    const ask = await startServer(fleet.workspace);
    expect(await attest(fleet, await ask())).toBe(startMs);
    const { proposals } = await rotateKey(fleet.workspace, "director");
    await completeRoot(fleet, proposals[0], ["director-root"]);
    expect(await attest(fleet, await ask())).toBe(startMs);
  });

  test("does not cost the opening of a key for every question", async () => {
    await using fleet = await createFleet();
    let opened = 0;
    const count = <Argument, Key>(open: (argument: Argument) => Promise<Key>) => {
      return (argument: Argument): Promise<Key> => {
        opened += 1;
        return open(argument);
      };
    };
    const { findKey, loadKey } = fleet.workspace;
    const ask = await startServer({ ...fleet.workspace, findKey: count(findKey), loadKey: count(loadKey) });
    await Promise.all(Array.from({ length: 20 }, ask));
    expect(await attest(fleet, await ask())).toBe(startMs);
    expect(opened).toBeLessThanOrEqual(2);
  });

  test("is signed again after the key could not be opened once", async () => {
    await using fleet = await createFleet();
    const { findKey } = fleet.workspace;
    let isLocked = true;
    const open: Workspace["findKey"] = (keyId) =>
      isLocked ? Promise.reject(new Error("the token is away")) : findKey(keyId);
    const ask = await startServer({ ...fleet.workspace, findKey: open });
    expect(await ask()).toHaveLength(0);
    isLocked = false;
    expect(await attest(fleet, await ask())).toBe(startMs);
  });
});
