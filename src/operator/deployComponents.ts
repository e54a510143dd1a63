// Turns what a person wrote, a file or a changed release, into the next signed deployment of a gateway.
import * as v from "valibot";
import type { DeploymentText } from "../protocol/deployment.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { OperatorError } from "./error.ts";
import { createDirector, deploy, hasDirector, loadDeployment } from "./repository/director.ts";
import type { DirectorSources } from "./repository/director.ts";
import type { Workspace } from "./workspace.ts";
import { withWorkspaceLock } from "./workspaceLock.ts";

/** A whole document, or one component of the deployment of before with another release. */
export type DeploymentChange =
  | { readonly kind: "document"; readonly text: Uint8Array; readonly source: string }
  | { readonly kind: "release"; readonly component: string; readonly release: string };

/** What people write; the components themselves are checked when the deployment is signed. */
const writtenSchema = v.strictObject({ components: v.record(v.string(), v.unknown()) });

/**
 * Signs it; a gateway that is deployed to for the first time gets its director. OperatorError says what is wrong. Whoever
 * deploys to many gateways loads the sources once.
 */
export function deployComponents(
  workspace: Workspace,
  gateway: string,
  change: DeploymentChange,
  sources?: DirectorSources,
): Promise<DeploymentText> {
  return withWorkspaceLock(workspace, () => sign(workspace, { gateway, change, sources }));
}

interface Wanted {
  readonly gateway: string;
  readonly change: DeploymentChange;
  readonly sources: DirectorSources | undefined;
}

async function sign(workspace: Workspace, { gateway, change, sources }: Wanted): Promise<DeploymentText> {
  const isKnown = await hasDirector(workspace, gateway);
  if (change.kind === "document") {
    const components = parseComponents(change);
    if (!isKnown) await createDirector(workspace, gateway, sources);
    return deploy(workspace, gateway, components, sources);
  }
  const before = isKnown ? await loadDeployment(workspace, gateway) : undefined;
  const component = before?.components[change.component];
  if (before === undefined || component === undefined)
    throw new OperatorError(
      "deployment-invalid",
      `${gateway} has no component "${change.component}" yet. Deploy a file that says what it is granted.`,
    );
  const next = { ...component, release: change.release };
  return deploy(workspace, gateway, { ...before.components, [change.component]: next }, sources);
}

function parseComponents({
  text,
  source,
}: Extract<DeploymentChange, { kind: "document" }>): DeploymentText["components"] {
  try {
    const { components } = parseDocument(writtenSchema, text, { what: `deployment ${source}` });
    return components as DeploymentText["components"];
  } catch (cause) {
    if (cause instanceof DocumentError) throw new OperatorError("deployment-invalid", cause.message, { cause });
    throw cause;
  }
}
