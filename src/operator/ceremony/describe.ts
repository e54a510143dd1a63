// What a signature would change, in words for whoever holds the key: everything that is new is named, nothing is left out.
import type { Metadata, Targets } from "@tufjs/models";
import { sha256Hex } from "../../base/hash.ts";
import { payloadOf, rootRoles } from "../repository/metadata.ts";
import type { RoleKeys, RootContent } from "../repository/metadata.ts";
import type { Proposed } from "./proposal.ts";

/** Lines; `before` of the same kind. */
export function describeProposed(proposed: Proposed, before: Proposed | undefined): readonly string[] {
  const { metadata } = proposed;
  const head = [
    `${proposed.kind} version ${metadata.signed.version}, expires ${metadata.signed.expires}`,
    before === undefined
      ? "there is no version before to compare with: all of it is new"
      : `compared with version ${before.metadata.signed.version}, which expires ${before.metadata.signed.expires}`,
  ];
  const fingerprint = `content sha-256 ${sha256Hex(payloadOf(metadata))}`;
  // A name with a line end in it would look like lines of ours.
  return [...head, ...describeChanges(proposed, before), fingerprint].map((line) => line.replaceAll("\n", "\\n"));
}

function describeChanges(proposed: Proposed, before: Proposed | undefined): readonly string[] {
  if (proposed.kind === "root")
    return describeRoles(proposed.root.content, before?.kind === "root" ? before.root.content : undefined);
  return describeTargets(proposed.metadata, before?.kind === "targets" ? before.metadata : undefined);
}

function describeRoles(next: RootContent, before: RootContent | undefined): readonly string[] {
  return rootRoles.flatMap((role) => describeRole(role, next.roles[role], before?.roles[role]));
}

function describeRole(name: string, next: RoleKeys, before: RoleKeys | undefined): readonly string[] {
  const was = before !== undefined && before.threshold !== next.threshold ? ` (was ${before.threshold})` : "";
  const head = `  ${name}: ${next.threshold}${was} of ${next.keys.length}`;
  const idsOf = (role: RoleKeys | undefined): readonly string[] => role?.keys.map(({ keyId }) => keyId) ?? [];
  const added = idsOf(next).filter((keyId) => !idsOf(before).includes(keyId));
  const removed = idsOf(before).filter((keyId) => !idsOf(next).includes(keyId));
  if (added.length + removed.length === 0) return [`${head}, the same keys`];
  return [head, ...removed.map((keyId) => `    - ${keyId}`), ...added.map((keyId) => `    + ${keyId}`)];
}

function describeTargets(next: Metadata<Targets>, before: Metadata<Targets> | undefined): readonly string[] {
  const [now, then] = [next.signed.targets, before?.signed.targets ?? {}];
  const describe = (path: string, target: (typeof now)[string]): string =>
    `${path}  ${target.length} bytes  sha256 ${target.hashes["sha256"] ?? "none"}`;
  const added = Object.entries(now).flatMap(([path, target]) => {
    const old = then[path];
    if (old !== undefined && old.equals(target)) return [];
    return [`  ${old === undefined ? "+" : "~"} ${describe(path, target)}`];
  });
  const removed = Object.entries(then).flatMap(([path, target]) =>
    now[path] === undefined ? [`  - ${describe(path, target)}`] : [],
  );
  const changes = [...removed, ...added, ...describeDelegations(next.signed, before?.signed)];
  return changes.length === 0 ? ["  the same releases and publishers"] : changes;
}

function describeDelegations(next: Targets, before: Targets | undefined): readonly string[] {
  const describeAll = (targets: Targets | undefined): readonly string[] =>
    Object.values(targets?.delegations?.roles ?? {}).map(
      ({ name, paths = [], threshold, keyIDs }) =>
        `publisher ${name}: ${paths.join(", ")}, ${threshold} of ${keyIDs.join(", ")}`,
    );
  const [now, then] = [describeAll(next), describeAll(before)];
  return [
    ...then.filter((line) => !now.includes(line)).map((line) => `  - ${line}`),
    ...now.filter((line) => !then.includes(line)).map((line) => `  + ${line}`),
  ];
}
