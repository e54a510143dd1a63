// A round as it was signed: the files that the difference to a newer one is made from.
import { join } from "node:path";
import { Metadata, MetadataKind } from "@tufjs/models";
import { deploymentTarget, targetFileName } from "../../protocol/repository.ts";
import { readBytesIfPresent } from "../files.ts";
import { parseJson } from "./repository.ts";

export interface SignedRound {
  readonly snapshot: number;
  /** Snapshot, targets, and of a director the deployment document. */
  readonly files: readonly Uint8Array[];
}

/** The round with this snapshot version; undefined when not all of it is there any more. */
export async function readRound(directory: string, version: number): Promise<SignedRound | undefined> {
  const snapshot = await readBytesIfPresent(join(directory, `${version}.snapshot.json`));
  if (snapshot === undefined) return undefined;
  const { meta } = Metadata.fromJSON(MetadataKind.Snapshot, parseJson(snapshot)).signed;
  const targets = await readBytesIfPresent(join(directory, `${meta["targets.json"]?.version}.targets.json`));
  if (targets === undefined) return undefined;
  const listed = Metadata.fromJSON(MetadataKind.Targets, parseJson(targets)).signed.targets[deploymentTarget];
  if (listed === undefined) return { snapshot: version, files: [snapshot, targets] };
  const name = targetFileName(listed.path, listed.hashes["sha256"] ?? "");
  const document = await readBytesIfPresent(join(directory, name));
  return document && { snapshot: version, files: [snapshot, targets, document] };
}
