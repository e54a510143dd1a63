// Who may command gateways: the list in the workspace, which the director signs for each gateway.
import { join } from "node:path";
import { operatorsSchema } from "../protocol/command.ts";
import type { Operators } from "../protocol/command.ts";
import { parseDocument } from "../protocol/document.ts";
import { operatorsTarget } from "../protocol/repository.ts";
import { OperatorError } from "./error.ts";
import { readBytes, writeFileAtomic } from "./files.ts";
import type { PublicKey, SigningKey } from "./keys/key.ts";
import type { Workspace } from "./workspace.ts";

/** The keys whose commands gateways obey; edit the file and deploy to change them. */
export async function loadOperators(workspace: Workspace): Promise<Operators> {
  const path = operatorsPath(workspace);
  return parseDocument(operatorsSchema, await readBytes(path, "list of operators"), { what: path });
}

/** The first key on the list that is here. OperatorError "key-missing" when none is. */
export async function loadOperatorKey(workspace: Workspace): Promise<SigningKey> {
  for (const keyId of Object.keys((await loadOperators(workspace)).keys)) {
    const key = await workspace.findKey(keyId);
    if (key !== undefined) return key;
  }
  throw new OperatorError(
    "key-missing",
    `No key of ${operatorsPath(workspace)} is here to sign commands with. Bring one back into ${workspace.directory}/keys, or add one: outstation keys rotate operator`,
  );
}

/** The list of a new fleet: one key that may call everything. */
export async function createOperators(workspace: Workspace): Promise<void> {
  const key = await workspace.loadKey("operator");
  await saveOperators(workspace, { keys: { [key.keyId]: describeOperator(key, { name: "operator", may: ["*"] }) } });
}

export async function saveOperators(workspace: Workspace, operators: Operators): Promise<void> {
  await writeFileAtomic(operatorsPath(workspace), `${JSON.stringify(operators, undefined, 2)}\n`);
}

export function describeOperator(
  { publicKey }: PublicKey,
  { name, may }: { readonly name: string; readonly may: readonly string[] },
): Operators["keys"][string] {
  return { name, publicKey: Buffer.from(publicKey).toString("base64url"), may: [...may] };
}

function operatorsPath(workspace: Workspace): string {
  return join(workspace.directory, operatorsTarget);
}
