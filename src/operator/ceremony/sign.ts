// A signature added to a proposal, wherever the key is: needs the file, the one it follows, and nothing else.
import { OperatorError } from "../error.ts";
import { isPresent, writeFileAtomic } from "../files.ts";
import { openKey } from "../keys/keyring.ts";
import type { Secrets } from "../keys/keyring.ts";
import { encode } from "../repository/metadata.ts";
import type { RoleKeys } from "../repository/metadata.ts";
import { listSigners } from "../repository/root.ts";
import { describeProposed } from "./describe.ts";
import { pathBefore, readProposed } from "./proposal.ts";
import type { Proposed } from "./proposal.ts";

export interface SignRequest {
  readonly kind: Proposed["kind"];
  readonly path: string;
  readonly keyPath: string;
  readonly secrets: Secrets;
  /** The version before, when it does not lie beside the file. */
  readonly beforePath?: string | undefined;
  /** Only describes. */
  readonly dryRun?: boolean;
}

export interface SignOutcome {
  /** What the signature changes. */
  readonly lines: readonly string[];
  /** Undefined on a dry run. */
  readonly keyId: string | undefined;
  /** Signatures there are now. */
  readonly signatures: number;
}

/** Describes and signs. OperatorError for a file of another kind, and for a key that cannot count on it. */
export async function signProposal(request: SignRequest): Promise<SignOutcome> {
  const { path, kind, keyPath, secrets, dryRun = false } = request;
  const proposed = await readProposed(path);
  if (proposed.kind !== kind)
    throw new OperatorError(
      "proposal-invalid",
      `${path} is ${proposed.kind}. Sign it with: outstation ${proposed.kind} sign`,
    );
  const before = await readBefore(request, proposed);
  const lines = describeProposed(proposed, before);
  const count = (): number => Object.keys(proposed.metadata.signatures).length;
  if (dryRun) return { lines, keyId: undefined, signatures: count() };
  const key = await openKey(keyPath, secrets);
  const role = rolesThatCount(proposed, before).flatMap(({ keys }) => keys);
  // A publisher's keys stand in the targets, which need not be here: merging holds them against it.
  if (proposed.kind === "root" && !role.some(({ keyId }) => keyId === key.keyId))
    throw new OperatorError(
      "key-invalid",
      `${keyPath} (${key.keyId}) is no root key of ${path}, nor of the root before it. Sign with one that is.`,
    );
  await writeFileAtomic(path, await encode(proposed.metadata, [key]));
  return { lines, keyId: key.keyId, signatures: count() };
}

/** TUF 5.3.4: the keys of the root before and of the root itself. */
export function rolesThatCount(proposed: Proposed, before: Proposed | undefined): readonly RoleKeys[] {
  if (proposed.kind !== "root") return [];
  const own = proposed.root.content.roles.root;
  return before?.kind === "root" ? [before.root.content.roles.root, own] : [own];
}

async function readBefore({ path, beforePath }: SignRequest, proposed: Proposed): Promise<Proposed | undefined> {
  const { version } = proposed.metadata.signed;
  const beside = pathBefore(path, version);
  const source = beforePath ?? (beside !== path && (await isPresent(beside)) ? beside : undefined);
  if (source === undefined) {
    if (proposed.kind === "targets" || version === 1) return undefined;
    throw new OperatorError(
      "proposal-invalid",
      `There is no ${beside} to compare ${path} with. Take it along from pending/, or give your own copy: --before <file>`,
    );
  }
  const before = await readProposed(source);
  if (before.kind !== proposed.kind || before.metadata.signed.version !== version - 1)
    throw new OperatorError(
      "proposal-invalid",
      `${source} is not what ${path} follows: that is version ${version - 1}.`,
    );
  if (before.kind === "root") {
    const { keys, threshold } = before.root.content.roles.root;
    if (listSigners({ keys, threshold }, before.metadata).length < threshold)
      throw new OperatorError(
        "proposal-invalid",
        `${source} is not signed by its own root keys. Compare with a real root.`,
      );
  }
  return before;
}
