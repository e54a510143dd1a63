// A component out of an OCI image layout on disk; every digest and size on the way is checked, and nothing is fetched.
import { join } from "node:path";
import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { sha256Hex } from "../../base/hash.ts";
import { DocumentError, parseDocument } from "../../protocol/document.ts";
import { OperatorError } from "../error.ts";
import { readBytes, readSizeBytes } from "../files.ts";

const imageIndex = "application/vnd.oci.image.index.v1+json";
const imageManifest = "application/vnd.oci.image.manifest.v1+json";
/** CNCF's Wasm OCI artifact layout: this configuration, and one layer with the component. */
const wasmConfig = "application/vnd.wasm.config.v0+json";
const wasmLayer = "application/wasm";
const refName = "org.opencontainers.image.ref.name";

const descriptor = v.object({
  mediaType: v.string(),
  digest: v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/, 'expected a digest "sha256:…"')),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  annotations: v.optional(v.record(v.string(), v.string()), {}),
});
type Descriptor = v.InferOutput<typeof descriptor>;

const layoutSchema = v.object({ imageLayoutVersion: v.literal("1.0.0") });
const indexSchema = v.object({ schemaVersion: v.literal(2), manifests: v.array(descriptor) });
const manifestSchema = v.object({ schemaVersion: v.literal(2), config: descriptor, layers: v.array(descriptor) });

/** Nested indexes are followed this far. */
const depth = 3;

/**
 * The component's bytes. `reference`: the tag, or the manifest's digest; needed when the layout holds more than one
 * image. OperatorError "oci-invalid" says what is missing or wrong in it.
 */
export async function readOciLayout(directory: string, reference: string | undefined): Promise<Uint8Array> {
  const { bytes: documentBytes } = limits.document;
  await readDocument(layoutSchema, join(directory, "oci-layout"), documentBytes);
  const { manifests } = await readDocument(indexSchema, join(directory, "index.json"), documentBytes);
  const chosen = await choose(directory, manifests, { reference, depth });
  const manifest = await readBlob(directory, chosen, documentBytes);
  const { config, layers } = parse(manifestSchema, manifest, `manifest ${chosen.digest}`);
  if (config.mediaType !== wasmConfig)
    throw invalid(`The image's configuration is ${config.mediaType}, not ${wasmConfig}. Push it as a Wasm artifact.`);
  const [layer, ...more] = layers.filter(({ mediaType }) => mediaType === wasmLayer);
  if (layer === undefined || more.length > 0)
    throw invalid(
      `The image has ${more.length + (layer === undefined ? 0 : 1)} layers of ${wasmLayer}; one is needed.`,
    );
  return readBlob(directory, layer, limits.blob.componentMaxBytes);
}

interface Choice {
  readonly reference: string | undefined;
  readonly depth: number;
}

async function choose(directory: string, listed: readonly Descriptor[], choice: Choice): Promise<Descriptor> {
  const { reference } = choice;
  const isNamed = ({ digest, annotations }: Descriptor): boolean =>
    digest === reference ||
    annotations[refName] === reference ||
    annotations[refName]?.endsWith(`:${reference}`) === true;
  const matching = reference === undefined ? listed : listed.filter(isNamed);
  const [only, ...more] = matching;
  if (only === undefined || more.length > 0) {
    const names = listed.map(({ digest, annotations }) => annotations[refName] ?? digest).join(", ");
    throw invalid(
      `${matching.length} images of the layout fit; name one as oci:<directory>@<tag or digest>: ${names}.`,
    );
  }
  if (only.mediaType === imageManifest) return only;
  if (only.mediaType !== imageIndex || choice.depth === 0)
    throw invalid(`${only.digest} is ${only.mediaType}, no image manifest.`);
  const bytes = await readBlob(directory, only, limits.document.bytes);
  const { manifests } = parse(indexSchema, bytes, `index ${only.digest}`);
  return choose(directory, manifests, { reference: undefined, depth: choice.depth - 1 });
}

/** The digest is hex, so it leads nowhere but into blobs/; size and hash are what the descriptor says. */
async function readBlob(directory: string, { digest, size }: Descriptor, maxBytes: number): Promise<Uint8Array> {
  if (size > maxBytes) throw invalid(`${digest} has ${size} bytes; at most ${maxBytes} are read.`);
  const hex = digest.slice("sha256:".length);
  const bytes = await readBounded(join(directory, "blobs", "sha256", hex), maxBytes);
  if (bytes.byteLength !== size) throw invalid(`${digest} has ${bytes.byteLength} bytes, not ${size}. Pull it again.`);
  if (sha256Hex(bytes) !== hex) throw invalid(`${digest} is damaged. Pull it again.`);
  return bytes;
}

async function readDocument<Schema extends v.GenericSchema>(
  schema: Schema,
  path: string,
  maxBytes: number,
): Promise<v.InferOutput<Schema>> {
  return parse(schema, await readBounded(path, maxBytes), path);
}

async function readBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  const size = await readSizeBytes(path);
  if (size > maxBytes) throw invalid(`${path} has ${size} bytes; at most ${maxBytes} are read.`);
  return readBytes(path, "part of the OCI layout");
}

function parse<Schema extends v.GenericSchema>(schema: Schema, bytes: Uint8Array, what: string): v.InferOutput<Schema> {
  try {
    return parseDocument(schema, bytes, { what });
  } catch (cause) {
    if (cause instanceof DocumentError) throw new OperatorError("oci-invalid", cause.message, { cause });
    throw cause;
  }
}

function invalid(message: string): OperatorError {
  return new OperatorError("oci-invalid", message);
}
