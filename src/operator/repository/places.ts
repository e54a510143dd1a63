// Where in a workspace each repository lies.
import { join } from "node:path";
import type { Workspace } from "../workspace.ts";

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

export function blobsDirectory(workspace: Workspace): string {
  return join(workspace.directory, "releases", "blobs");
}

/** A full blob or a delta, as published. */
export function blobPath(workspace: Workspace, sha256: string): string {
  return join(blobsDirectory(workspace), sha256);
}

/** Roots and targets that wait for signatures. */
export function pendingDirectory(workspace: Workspace): string {
  return join(workspace.directory, "pending");
}
