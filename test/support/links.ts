// Links and plain MQTT clients for tests, with waits that end when something happens and never sleep.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type MqttClient } from "mqtt";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import type { Link } from "../../src/link/link.ts";
import { type LinkOptions, openLink } from "../../src/link/openLink.ts";

export function openTestLink(url: string, options: Partial<LinkOptions> = {}): Link {
  return openLink({
    url,
    clientId: "gateway-1",
    protocol: "auto",
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...options,
  });
}

export function untilOnline(link: Link): Promise<void> {
  return new Promise((resolve) => {
    if (link.online) return resolve();
    const stop = link.onOnline(() => {
      stop();
      resolve();
    });
  });
}

export function untilOffline(link: Link): Promise<void> {
  return new Promise((resolve) => {
    const stop = link.onOffline(() => {
      stop();
      resolve();
    });
  });
}

/** A client that sees everything on `filter`, in order. */
export interface Spy extends AsyncDisposable {
  readonly client: MqttClient;
  readonly seen: readonly string[];
  /** Resolves when "topic payload" has been seen. */
  until(line: string): Promise<void>;
  publish(topic: string, payload: string | Buffer, retain?: boolean): Promise<void>;
}

export async function openSpy(url: string, filter = "#", clientId = "spy", clean = true): Promise<Spy> {
  const seen: string[] = [];
  const waiting = new Set<() => void>();
  const client = connect(url, { clientId, clean, reconnectPeriod: 0, protocolVersion: 4 });
  client.on("message", (topic, payload) => {
    seen.push(`${topic} ${payload.toString()}`);
    for (const check of waiting) check();
  });
  await new Promise<void>((resolve) => void client.once("connect", () => resolve()));
  if (filter !== "") await client.subscribeAsync(filter, { qos: 1 });
  return {
    client,
    seen,
    until: (line) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!seen.includes(line)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    publish: async (topic, payload, retain = false) =>
      void (await client.publishAsync(topic, payload, { qos: 1, retain })),
    [Symbol.asyncDispose]: async () => void (await client.endAsync(true)),
  };
}

/** A gateway in a process of its own, to be killed; its handler of `commands/+` never finishes. */
export async function startLinkProcess(url: string, protocol: string): Promise<ChildProcess> {
  const script = new URL("linkProcess.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, url, protocol], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}
