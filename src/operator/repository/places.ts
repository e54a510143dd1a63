// Where in a workspace each repository lies, and which keys sign for it.
import { join } from "node:path";
import type { Workspace } from "../workspace.ts";
import type { RoundSigners } from "./repository.ts";

export function imageDirectory(workspace: Workspace): string {
  return join(workspace.directory, "image");
}

/** Only roots; the other roles of a director are its gateway's own. */
export function directorRootDirectory(workspace: Workspace): string {
  return join(workspace.directory, "director");
}

/** One directory a gateway. */
export function gatewaysDirectory(workspace: Workspace): string {
  return join(workspace.directory, "gateways");
}

export function directorDirectory(workspace: Workspace, gateway: string): string {
  return join(gatewaysDirectory(workspace), gateway);
}

/** A component as built; the base of later deltas. */
export function componentPath(workspace: Workspace, component: string, version: string): string {
  return join(workspace.directory, "releases", component, `${version}.wasm`);
}

/** A full blob or a delta, as published. */
export function blobPath(workspace: Workspace, sha256: string): string {
  return join(workspace.directory, "releases", "blobs", sha256);
}

export async function imageSigners(workspace: Workspace): Promise<RoundSigners> {
  return {
    targets: [await workspace.loadKey("targets")],
    snapshot: await workspace.loadKey("snapshot"),
    timestamp: await workspace.loadKey("timestamp"),
  };
}

export async function directorSigners(workspace: Workspace): Promise<RoundSigners> {
  const key = await workspace.loadKey("director");
  return { targets: [key], snapshot: key, timestamp: key };
}
