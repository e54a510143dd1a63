// Topics asked for in one moment go in one packet, and what is asked for one topic keeps its order.
import { expect, it } from "vitest";
import { createBatches } from "../../../src/link/batches.ts";
import { settle } from "../../support/manualClock.ts";

function start() {
  const sent: string[] = [];
  const broker = { isOnline: true, refuses: false };
  const send = async (packet: string): Promise<void> => {
    sent.push(packet);
    if (broker.refuses) throw new Error("refused");
  };
  const batches = createBatches(() =>
    broker.isOnline
      ? {
          subscribe: (all) => send(`subscribe ${all.map(({ filter, qos }) => `${filter}:${qos}`).join()}`),
          unsubscribe: (all) => send(`unsubscribe ${all.join()}`),
        }
      : undefined,
  );
  return { batches, broker, sent };
}

it("sends what is said in one moment as one packet", async () => {
  const { batches, sent } = start();
  await Promise.all([batches.subscribe("a", 0), batches.subscribe("b", 1), batches.unsubscribe("c")]);
  await batches.subscribe("d", 0);
  expect(sent).toEqual(["subscribe a:0,b:1", "unsubscribe c", "subscribe d:0"]);
});

it("keeps the order for one topic", async () => {
  const { batches, sent } = start();
  void batches.subscribe("other", 0);
  void batches.unsubscribe("a");
  void batches.subscribe("a", 0);
  void batches.unsubscribe("a");
  await settle();
  const about = sent.filter((packet) => /\ba\b/.test(packet)).map((packet) => packet.split(" ")[0]);
  expect(about).toEqual(["unsubscribe", "subscribe", "unsubscribe"]);
});

it("fails everybody of a packet that fails, and everybody while offline", async () => {
  const { batches, broker } = start();
  broker.refuses = true;
  const refused = [batches.subscribe("a", 0), batches.subscribe("b", 0)];
  for (const one of refused) await expect(one).rejects.toThrow("refused");
  broker.isOnline = false;
  await expect(batches.subscribe("a", 0)).rejects.toMatchObject({ code: "offline" });
});
