// Provenance is believed only for these bytes, this identity and this issuer, with the logs the policy asks for.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { writeFileAtomic } from "../../../src/operator/files.ts";
import { checkProvenance, verifyBundle } from "../../../src/operator/source/provenance.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

const fixture = (name: string): Promise<Uint8Array> =>
  readFile(new URL(`../../fixtures/sigstore/${name}`, import.meta.url));
const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
const identity = "https://ci.example/acme/boiler/release.yml@refs/tags/v1.0.0";
const policy = { trustedRoot: "root.json", identity, issuer: "https://issuer.example" };

const root = await createTemporaryDirectory();
afterAll(() => root[Symbol.asyncDispose]());
let workspaces = 0;

function createBare(): string {
  workspaces += 1;
  return join(root.path, `${workspaces}`);
}

async function createWorkspace(changes: Record<string, unknown> = {}): Promise<string> {
  const directory = createBare();
  await writeFileAtomic(join(directory, "provenance.json"), JSON.stringify({ ...policy, ...changes }));
  await writeFileAtomic(join(directory, "root.json"), await fixture("trusted-root.json"));
  return directory;
}

const refused = (words: RegExp): object => ({ code: "provenance-refused", message: expect.stringMatching(words) });

describe("provenance", () => {
  test.each(["signature", "attestation"])("is proven by a %s about the bytes", async (kind) => {
    const directory = await createWorkspace();
    expect(await checkProvenance(directory, component, await fixture(`${kind}.sigstore.json`))).toBe(identity);
    const anyTag = await createWorkspace({ identity: "https://ci.example/acme/boiler/release.yml@refs/tags/*" });
    expect(await checkProvenance(anyTag, component, await fixture(`${kind}.sigstore.json`))).toBe(identity);
  });

  test.each(["signature", "attestation"])("is not proven by a %s about other bytes", async (kind) => {
    const other = Uint8Array.of(...component, 0);
    const bundle = await fixture(`${kind}.sigstore.json`);
    await expect(checkProvenance(await createWorkspace(), other, bundle)).rejects.toMatchObject(refused(/./));
  });

  test.each([
    ["another identity", { identity: "https://ci.example/acme/pump/release.yml@refs/tags/v1.0.0" }],
    ["a part of the identity", { identity: "https://ci.example/acme/boiler" }],
    ["an identity in which a dot is not a dot", { identity: identity.replace("ci.example", "ciXexample") }],
    ["another issuer", { issuer: "https://other.example" }],
    ["more log entries than there are", { transparency: 2 }],
    ["more certificate log entries than there are", { certificateTransparency: 2 }],
  ])("is refused when the policy asks for %s", async (_what, changes) => {
    const bundle = await fixture("signature.sigstore.json");
    await expect(checkProvenance(await createWorkspace(changes), component, bundle)).rejects.toMatchObject(
      refused(/does not prove/),
    );
  });

  test("is refused when another authority vouches for it", async () => {
    const directory = await createWorkspace();
    await writeFileAtomic(join(directory, "root.json"), await fixture("public-good-trusted-root.json"));
    const bundle = await fixture("signature.sigstore.json");
    await expect(checkProvenance(directory, component, bundle)).rejects.toMatchObject(refused(/does not prove/));
  });

  test("is refused when a signature, certificate, log entry or statement was changed", async () => {
    const directory = await createWorkspace();
    for (const kind of ["signature", "attestation"]) {
      const text = Buffer.from(await fixture(`${kind}.sigstore.json`)).toString();
      const values = [...text.matchAll(/"[A-Za-z0-9+/=]{60,}"/g)];
      expect(values.length).toBeGreaterThan(3);
      for (const { 0: value, index } of values) {
        const at = index + 30;
        const forged = text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
        const attempt = checkProvenance(directory, component, Buffer.from(forged));
        await expect(attempt, `${kind} ${value.slice(0, 20)}`).rejects.toMatchObject(refused(/./));
      }
    }
  });

  test("is asked for only when the workspace says whom to believe", async () => {
    const bare = createBare();
    expect(await checkProvenance(bare, component, undefined)).toBeUndefined();
    const bundle = await fixture("signature.sigstore.json");
    await expect(checkProvenance(bare, component, bundle)).rejects.toMatchObject(refused(/provenance\.json/));
    await expect(checkProvenance(await createWorkspace(), component, undefined)).rejects.toMatchObject(
      refused(/--bundle/),
    );
  });

  test.each(["", "{", "null", "[]", "{}", '{"mediaType":"x"}', `"${"x".repeat(300_000)}"`])(
    "is refused for a bundle or a trusted root that is %.20s",
    async (text) => {
      const directory = await createWorkspace();
      await expect(checkProvenance(directory, component, Buffer.from(text))).rejects.toMatchObject(refused(/./));
      await writeFileAtomic(join(directory, "root.json"), text);
      const bundle = await fixture("signature.sigstore.json");
      await expect(checkProvenance(directory, component, bundle)).rejects.toMatchObject(refused(/./));
    },
  );

  test("of a real package in the public log is verified, with no network", async () => {
    const evidence = {
      bundle: await fixture("public-good.sigstore.json"),
      trustedRoot: await fixture("public-good-trusted-root.json"),
      policy: {
        trustedRoot: "",
        identity: "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/*",
        issuer: "https://token.actions.githubusercontent.com",
        transparency: 1,
        certificateTransparency: 1,
      },
    };
    const sha512 =
      "46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c";
    expect(verifyBundle(evidence, { sha512 }, new Uint8Array())).toContain("sigstore-js");
    const other = `0${sha512.slice(1)}`;
    expect(() => verifyBundle(evidence, { sha512: other }, new Uint8Array())).toThrow(/another file/);
  });
});
