// The public keys a person names for a publisher: files that were handed over, or ids of keys that are here.
import { OperatorError } from "../error.ts";
import type { PublicKey } from "../keys/key.ts";
import { readPublicKey } from "../keys/publicKeyFile.ts";
import type { Workspace } from "../workspace.ts";

/** OperatorError "publisher-invalid" for a key that is named twice, under whatever name. */
export async function readPublisherKeys(workspace: Workspace, names: readonly string[]): Promise<readonly PublicKey[]> {
  const keys: PublicKey[] = [];
  for (const name of names) {
    const key = await readOne(workspace, name);
    if (keys.some(({ keyId }) => keyId === key.keyId))
      throw new OperatorError(
        "publisher-invalid",
        `${name} is ${key.keyId}, which is named already. Each key counts once.`,
      );
    keys.push(key);
  }
  return keys;
}

async function readOne(workspace: Workspace, name: string): Promise<PublicKey> {
  if (!/^[0-9a-f]{64}$/.test(name)) return readPublicKey(name);
  const { keyId, publicKey } = (await workspace.findKey(name)) ?? {};
  if (keyId !== undefined && publicKey !== undefined) return { keyId, publicKey };
  throw new OperatorError("key-missing", `The key ${name} is not in this workspace. Give its <name>.public.json.`);
}
