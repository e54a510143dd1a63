// A component is taken out of an OCI layout only when every digest, size and kind on the way is right.
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/hash.ts";
import { readComponentSource } from "../../../src/operator/source/componentSource.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

const root = await createTemporaryDirectory();
afterAll(() => root[Symbol.asyncDispose]());
let layouts = 0;

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

class Layout {
  readonly directory = join(root.path, `layout-${++layouts}`);
  readonly manifests: Descriptor[] = [];

  async open(): Promise<this> {
    await mkdir(join(this.directory, "blobs", "sha256"), { recursive: true });
    await writeFile(join(this.directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    return this;
  }

  async blob(mediaType: string, content: Uint8Array | object): Promise<Descriptor> {
    const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
    await writeFile(join(this.directory, "blobs", "sha256", sha256Hex(bytes)), bytes);
    return { mediaType, digest: `sha256:${sha256Hex(bytes)}`, size: bytes.length };
  }

  async image(options: { config?: string; layers?: Descriptor[]; bytes?: Uint8Array } = {}): Promise<Descriptor> {
    const config = await this.blob(options.config ?? "application/vnd.wasm.config.v0+json", { os: "wasip2" });
    const layers = options.layers ?? [await this.blob("application/wasm", options.bytes ?? component)];
    return this.blob(manifestType, { schemaVersion: 2, mediaType: manifestType, config, layers });
  }

  async list(...descriptors: Descriptor[]): Promise<string> {
    await writeFile(join(this.directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: descriptors }));
    return `oci:${this.directory}`;
  }
}

const tagged = (descriptor: Descriptor, tag: string): Descriptor => ({
  ...descriptor,
  annotations: { "org.opencontainers.image.ref.name": tag },
});
const invalid = (words: RegExp): object => ({ code: "oci-invalid", message: expect.stringMatching(words) });

describe("an OCI layout", () => {
  test("gives the component of its only image, of a tag, of a digest, and through a nested index", async () => {
    const layout = await new Layout().open();
    const image = await layout.image();
    expect(await readComponentSource(await layout.list(image))).toEqual(Buffer.from(component));
    const other = Uint8Array.of(...component, 1);
    const second = await layout.image({ bytes: other });
    const source = await layout.list(tagged(image, "1.0.0"), tagged(second, "registry.example/boiler:1.1.0"));
    expect(await readComponentSource(`${source}@1.1.0`)).toEqual(Buffer.from(other));
    expect(await readComponentSource(`${source}@${image.digest}`)).toEqual(Buffer.from(component));
    const index = await layout.blob(indexType, { schemaVersion: 2, manifests: [image] });
    expect(await readComponentSource(await layout.list(index))).toEqual(Buffer.from(component));
  });

  test("with several images and no name, or a name it does not have, says what there is", async () => {
    const layout = await new Layout().open();
    const source = await layout.list(tagged(await layout.image(), "1.0.0"), tagged(await layout.image(), "1.1.0"));
    await expect(readComponentSource(source)).rejects.toMatchObject(invalid(/1\.0\.0, 1\.1\.0/));
    await expect(readComponentSource(`${source}@2.0.0`)).rejects.toMatchObject(invalid(/1\.0\.0, 1\.1\.0/));
  });

  test("with another kind of image, layer or number of layers is refused", async () => {
    const layout = await new Layout().open();
    const wasm = await layout.blob("application/wasm", component);
    const attempts = [
      await layout.image({ config: "application/vnd.oci.image.config.v1+json" }),
      await layout.image({ layers: [] }),
      await layout.image({ layers: [wasm, wasm] }),
      await layout.image({ layers: [{ ...wasm, mediaType: "application/vnd.oci.image.layer.v1.tar" }] }),
      await layout.blob("application/vnd.docker.distribution.manifest.v2+json", {}),
    ];
    for (const image of attempts)
      await expect(readComponentSource(await layout.list(image))).rejects.toMatchObject(invalid(/./));
  });

  test("whose blob is missing, damaged, longer, shorter or said to be huge is refused", async () => {
    const layout = await new Layout().open();
    const wasm = await layout.blob("application/wasm", component);
    const attempts = [
      { ...wasm, digest: `sha256:${"0".repeat(64)}` },
      { ...wasm, digest: "sha256:../../../../etc/passwd" },
      { ...wasm, size: 7 },
      { ...wasm, size: 9 },
      { ...wasm, size: 2 ** 40 },
    ];
    for (const layer of attempts) {
      const source = await layout.list(await layout.image({ layers: [layer] }));
      await expect(readComponentSource(source)).rejects.toMatchObject({
        code: expect.stringMatching(/oci|file-missing/),
      });
    }
    const source = await layout.list(await layout.image());
    await writeFile(
      join(layout.directory, "blobs", "sha256", wasm.digest.slice(7)),
      Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    );
    await expect(readComponentSource(source)).rejects.toMatchObject(invalid(/damaged/));
  });

  test("that leads in circles ends", async () => {
    const layout = await new Layout().open();
    let index = await layout.image();
    for (let level = 0; level < 5; level += 1)
      index = await layout.blob(indexType, { schemaVersion: 2, manifests: [index] });
    await expect(readComponentSource(await layout.list(index))).rejects.toMatchObject(invalid(/no image manifest/));
  });

  test("that is none is refused: no directory, no marker, another version, an index that is huge or no JSON", async () => {
    await expect(readComponentSource("oci:/nowhere")).rejects.toMatchObject({ code: "file-missing" });
    const layout = await new Layout().open();
    const source = await layout.list(await layout.image());
    await writeFile(join(layout.directory, "index.json"), "{");
    await expect(readComponentSource(source)).rejects.toMatchObject(invalid(/JSON/));
    await writeFile(join(layout.directory, "index.json"), " ".repeat(300_000));
    await expect(readComponentSource(source)).rejects.toMatchObject(invalid(/300000/));
    await writeFile(join(layout.directory, "oci-layout"), '{"imageLayoutVersion":"2.0.0"}');
    await expect(readComponentSource(source)).rejects.toMatchObject(invalid(/imageLayoutVersion/));
  });
});

describe("a component source that is no file", () => {
  test.each(["/dev/zero", "/dev/tty", "/dev", "/proc/self/fd"])("is refused and not read: %s", async (path) => {
    await expect(readComponentSource(path)).rejects.toMatchObject({ code: "file-failed" });
  });

  test("is refused inside a layout, too, where a link leads to it", async () => {
    const layout = await new Layout().open();
    const source = await layout.list(await layout.image());
    const blob = join(layout.directory, "blobs", "sha256", sha256Hex(component));
    await rm(blob);
    await symlink("/dev/zero", blob);
    await expect(readComponentSource(source)).rejects.toMatchObject({ code: "file-failed" });
  });
});
