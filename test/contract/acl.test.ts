// The broker ACL as docs/protocol.md prints it, on a real mosquitto: what a gateway can do with it, and what it cannot.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Link, LinkError } from "../../src/link/link.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { type Broker, mosquittoMissing, startMosquitto } from "../support/brokers.ts";
import { openTestLink, untilOnline } from "../support/links.ts";
import { describeNeeding } from "../support/needs.ts";

const missing = mosquittoMissing();
const topics = createTopics();
const [own, other] = [topics.gateway("pump-7"), topics.gateway("pump-8")];
const sha256 = "ab".repeat(32);

/** The block of the protocol's page, to the letter. */
function readPrintedAcl(): string {
  const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
  return /```acl\n(.*?)```/s.exec(page)?.[1] ?? "";
}

/** A broker with that ACL and four users whose passwords are their names. */
async function startGuarded(directory: string): Promise<Broker> {
  const [acl, passwords] = [join(directory, "acl"), join(directory, "passwords")];
  writeFileSync(acl, readPrintedAcl(), { mode: 0o600 });
  writeFileSync(passwords, "operator:operator\nserver:server\npump-7:pump-7\npump-8:pump-8\n", { mode: 0o600 });
  execFileSync("mosquitto_passwd", ["-U", passwords]);
  return startMosquitto(`allow_anonymous false\nacl_file ${acl}\npassword_file ${passwords}`);
}

/** What a broker says to a publish it drops: MQTT 3.1.1 has no word for it, so there it acknowledges. */
const dropped = { "3.1.1": "acknowledged", "5": "refused" } as const;

for (const protocol of ["3.1.1", "5"] as const)
  describeNeeding(missing, `the printed ACL on mosquitto, MQTT ${protocol}`, () => {
    let directory: string;
    let broker: Broker;
    let operator: MqttClient;
    let seen: string[];
    const untilSeen = (line: string): Promise<void> => expect.poll(() => seen).toContain(line);

    /** A gateway with its own password, under whatever client id it claims. */
    const openGateway = async (clientId = "pump-7"): Promise<Link> => {
      const link = openTestLink(broker.url, { protocol, clientId, username: "pump-7", password: "pump-7" });
      await untilOnline(link);
      return link;
    };

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "outstation-acl-"));
      broker = await startGuarded(directory);
      operator = connect(broker.url, { username: "operator", password: "operator", reconnectPeriod: 0 });
      seen = [];
      operator.on("message", (topic, payload) => seen.push(`${topic} ${payload.toString()}`));
      await operator.subscribeAsync(`${topics.root}/#`, { qos: 1 });
      const retained = [topics.image("timestamp.json"), topics.blob(sha256, 0)];
      for (const { director, state } of [own, other]) retained.push(director("timestamp.json"), state);
      for (const topic of retained) await operator.publishAsync(topic, "kept", { qos: 1, retain: true });
    });
    afterAll(async () => {
      await operator.endAsync(true);
      await broker[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    });

    it("lets a gateway read what it is sent and write what it says", async () => {
      await using gateway = await openGateway();
      for (const topic of [topics.image("timestamp.json"), topics.blob(sha256, 0), own.director("timestamp.json")])
        expect(Buffer.from(await gateway.fetch(topic, { maxBytes: 10 })).toString()).toBe("kept");

      const received = Promise.withResolvers<string>();
      await gateway.subscribe(own.commands, (topic) => received.resolve(topic));
      await operator.publishAsync(own.command("11111111"), "token", { qos: 1 });
      expect(await received.promise).toBe(own.command("11111111"));

      const written = [own.state, own.reported, own.event, own.result("11111111"), own.log("boiler")];
      for (const topic of [...written, own.telemetry("boiler", "temperature")]) {
        await gateway.publish({ topic, payload: "said" });
        await untilSeen(`${topic} said`);
      }
    });

    it.for(["pump-7", "pump-8"])("keeps it from everything else, when it says it is %s", async (claimed) => {
      await using gateway = await openGateway(claimed);
      for (const topic of [other.director("timestamp.json"), other.state, own.state])
        await expect(gateway.fetch(topic, { maxBytes: 10, timeoutMs: 200 })).rejects.toMatchObject({ code: "timeout" });
      const heard: string[] = [];
      await gateway.subscribe(other.commands, (topic) => void heard.push(topic));

      const refused = [topics.image("timestamp.json"), topics.blob(sha256, 0), other.state, other.command("22222222")];
      refused.push(own.director("timestamp.json"), own.command("22222222"), `${topics.root}/elsewhere`);
      for (const topic of refused) {
        const outcome = gateway.publish({ topic, payload: "forged", retain: true }).then(
          () => "acknowledged",
          (error: LinkError) => error.code,
        );
        expect(await outcome).toBe(dropped[protocol]);
      }
      await operator.publishAsync(other.command("33333333"), "token", { qos: 1 });
      await gateway.publish({ topic: own.event, payload: `end as ${claimed}` });
      await untilSeen(`${own.event} end as ${claimed}`);
      expect(seen.filter((line) => line.endsWith(" forged"))).toEqual([]);
      expect(heard).toEqual([]);
    });

    it("lets the fleet's server publish and answer, and neither command nor read what gateways say", async () => {
      const options = { protocol, clientId: "server", username: "server", password: "server" };
      await using server = openTestLink(broker.url, options);
      await untilOnline(server);
      const asked = Promise.withResolvers<string>();
      await server.subscribe(topics.gateway("+").gets, (topic) => asked.resolve(topic));
      await using gateway = await openGateway();
      await gateway.publish({ topic: own.get("request-1"), payload: "{}" });
      expect(await asked.promise).toBe(own.get("request-1"));
      const written = [topics.image("1.root.json"), topics.blob(sha256, 1), own.director("1.root.json")];
      for (const topic of [...written, own.got("request-1", 0)]) {
        await server.publish({ topic, payload: "served", retain: written.includes(topic) });
        await untilSeen(`${topic} served`);
      }
      for (const topic of [own.command("44444444"), own.state]) {
        const outcome = server.publish({ topic, payload: "forged" }).then(
          () => "acknowledged",
          (error: LinkError) => error.code,
        );
        expect(await outcome).toBe(dropped[protocol]);
      }
      await expect(server.fetch(own.state, { maxBytes: 10, timeoutMs: 200 })).rejects.toMatchObject({
        code: "timeout",
      });
    });

    it("lets nobody in without a password", async () => {
      const stranger = connect(broker.url, { reconnectPeriod: 0 });
      const refused = new Promise<Error>((resolve) => stranger.once("error", resolve));
      expect(await refused).toMatchObject({ code: 5 });
      await stranger.endAsync(true);
    });
  });
