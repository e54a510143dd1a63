// The link over TLS with certificates on both sides: it comes up with the right ones and with no others.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeNeeding } from "../support/needs.ts";
import { type Broker, mosquittoMissing, startMosquitto } from "../support/brokers.ts";
import { openTestLink, untilOnline } from "../support/links.ts";

const missing = mosquittoMissing() ?? (spawnSync("openssl", ["version"]).error && "openssl is not installed");
if (missing !== undefined) console.log(`the link is not run over TLS: ${missing}`);

/** A self-signed certificate for 127.0.0.1; whoever trusts it trusts exactly it. */
function makeCertificate(directory: string, name: string): void {
  const files = ["-keyout", join(directory, `${name}.key`), "-out", join(directory, `${name}.crt`)];
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  execFileSync("openssl", [...args, ...subject, ...files], { stdio: "ignore" });
}

describeNeeding(missing, "link over TLS", () => {
  let directory: string;
  let broker: Broker;
  const pem = (file: string): string => readFileSync(join(directory, file), "utf8");
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "outstation-tls-"));
    for (const name of ["broker", "gateway", "stranger"]) makeCertificate(directory, name);
    const path = (file: string): string => join(directory, file);
    const own = `certfile ${path("broker.crt")}\nkeyfile ${path("broker.key")}`;
    broker = await startMosquitto(`cafile ${path("gateway.crt")}\n${own}\nrequire_certificate true`, "mqtts");
  });
  afterAll(async () => {
    await broker[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  it("comes up when both sides show what the other trusts", async () => {
    const tls = { ca: pem("broker.crt"), cert: pem("gateway.crt"), key: pem("gateway.key") };
    await using link = openTestLink(broker.url, { tls });
    await untilOnline(link);
    await link.publish({ topic: "t", payload: "over TLS", retain: true });
    expect(Buffer.from(await link.fetch("t", { maxBytes: 100 })).toString()).toBe("over TLS");
  });

  it.each([
    ["the broker's certificate is not the one it trusts", "stranger", "gateway"],
    ["its own certificate is not one the broker trusts", "broker", "stranger"],
  ])("never comes up when %s", async (_, trusted, own) => {
    const failures: unknown[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (fields: unknown) => void failures.push(fields) };
    const tls = { ca: pem(`${trusted}.crt`), cert: pem(`${own}.crt`), key: pem(`${own}.key`) };
    await using link = openTestLink(broker.url, { tls, log });
    await expect.poll(() => failures.length).toBeGreaterThan(0);
    expect(link.online).toBe(false);
  });
});
