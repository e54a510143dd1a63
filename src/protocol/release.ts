// What the image repository says of one release, and the bytes a gateway has verified against it.
import * as v from "valibot";
import type { StagedFile } from "../base/disk.ts";
import { sha256Hex } from "../base/hash.ts";
import { limits } from "../base/limits.ts";

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "expected a sha-256 in hex"));
const blob = v.strictObject({ sha256, length: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) });

const names = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(128))),
  v.maxLength(limits.words.names, `expected at most ${limits.words.names}`),
);

/** What a gateway must have for a release, told before it fetches the first byte of it. */
export const needsSchema = v.strictObject({
  /** The oldest agent that can run it, "1.2.3". */
  agent: v.optional(v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/, 'expected "1.2.3"'))),
  /** The gateway must be one of these; none named means any. */
  hardware: v.optional(names, []),
  /** Interfaces of the component's world, "wasi:io/poll@0.2.12". */
  imports: names,
  exports: names,
});
export type Needs = v.InferOutput<typeof needsSchema>;

/** The `custom` part of an image target `<component>/<version>.wasm`. */
export const releaseSchema = v.strictObject({
  component: v.string(),
  version: v.string(),
  /** Grows with every release of the component; floors are counted in it. */
  counter: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  needs: v.optional(needsSchema),
  /** `digestNeeds` of `needs`: the director repeats it, so that both mean the same world. */
  world: v.optional(sha256),
  /** The whole component, compressed with zstd. */
  full: blob,
  /** sha-256 of an older release's component to the zstd delta that rebuilds this one from it. */
  deltas: v.optional(v.record(sha256, blob), {}),
  /** Releases of this component with a lower counter are never installed again. */
  floor: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
});

export type Release = v.InferOutput<typeof releaseSchema>;
/** A content-addressed blob on the broker: sha-256 and length of the bytes as carried. */
export type BlobReference = v.InferOutput<typeof blob>;

/** The world digest: sha-256 over what a release needs, in one spelling. */
export function digestNeeds({ agent, hardware, imports, exports }: Needs): string {
  const sorted = [hardware, imports, exports].map((list) => [...list].sort());
  return sha256Hex(new TextEncoder().encode(JSON.stringify([agent ?? "", ...sorted])));
}

/** The target path under which both repositories list a release. */
export function releasePath(component: string, version: string): string {
  return `${component}/${version}.wasm`;
}

/** "boiler@1.2.0" to its parts; the deployment schema has already checked the shape. */
export function parseReleaseName(release: string): { readonly component: string; readonly version: string } {
  const at = release.lastIndexOf("@");
  return { component: release.slice(0, at), version: release.slice(at + 1) };
}

/** A release that image repository and director agree on; made by `trust` alone. */
export interface VerifiedTarget {
  readonly path: string;
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly release: Release;
}

declare const verified: unique symbol;

/**
 * A staged file of the store whose bytes, as they were written, have the length and hash of a verified target. Nothing
 * else can be stored as installable. Who does not install it disposes of the file.
 */
export interface VerifiedComponent {
  readonly target: VerifiedTarget;
  readonly staged: StagedFile;
  readonly [verified]: true;
}

/** Brands a staged file as verified. Only `trust/verifyComponent.ts` may call it; the tidy check refuses any other import. */
export function markVerified(target: VerifiedTarget, staged: StagedFile): VerifiedComponent {
  return { target, staged } as VerifiedComponent;
}
