// A broker that stops answering in the middle of a deployment: whoever waits at the terminal can go.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCommand, startCommand } from "../../support/commandLine.ts";
import { startAedes } from "../../support/brokers.ts";
import { openSpy } from "../../support/links.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

it(
  "lets a deployment that it does not take be interrupted, and says what is to be done",
  { timeout: 60_000 },
  async () => {
    await using broker = await startAedes();
    await using directory = await createTemporaryDirectory();
    const options = { directory: directory.path };
    expect(await runCommand("outstation", ["init", "--dev", "--broker", broker.url], options)).toMatchObject({
      code: 0,
    });
    await writeFile(join(directory.path, "empty.json"), '{ "components": {} }');
    await using spy = await openSpy(broker.url, "$SYS/+/new/clients");
    const connected = new Promise<void>((resolve) => {
      spy.client.on("message", (_topic, payload) => {
        if (payload.includes("outstation-operator")) resolve();
      });
    });
    broker.pause();
    const deploying = startCommand("outstation", ["deploy", "g-1", "empty.json", "--no-wait"], options);
    await deploying.until("deployment 1 for g-1 is signed");
    await connected;
    // So many round trips of ours are time enough for its first message, which is never acknowledged.
    for (let trip = 0; trip < 100; trip += 1) await spy.client.subscribeAsync(`trip/${trip}`);
    deploying.kill("SIGINT");
    const { code, stderr } = await deploying.ended;
    expect({ code, stderr }).toEqual({
      code: 75,
      stderr: expect.stringContaining("did not take all of it in time"),
    });
  },
);
