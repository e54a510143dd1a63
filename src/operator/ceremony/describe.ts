// What a signature would change, in words for whoever holds the key: everything that is new is named, nothing is left out.
import { isDeepStrictEqual } from "node:util";
import type { Metadata, Targets } from "@tufjs/models";
import type { DelegatedRole } from "@tufjs/models/dist/role.js";
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

type Described = Targets["targets"][string];

function describeTargets(next: Metadata<Targets>, before: Metadata<Targets> | undefined): readonly string[] {
  const [now, then] = [next.signed.targets, before?.signed.targets ?? {}];
  const added = Object.entries(now).flatMap(([path, target]) => {
    const old = then[path];
    if (old === undefined) return [`  + ${describeTarget(target)}${describeCounts(target)}`];
    return old.equals(target)
      ? []
      : [`  ~ ${describeTarget(target)}`, ...describeFields(fieldsOf(target), fieldsOf(old))];
  });
  const removed = Object.entries(then).flatMap(([path, target]) =>
    now[path] === undefined ? [`  - ${describeTarget(target)}`] : [],
  );
  const unknown = describeFields(next.signed.unrecognizedFields, before?.signed.unrecognizedFields ?? {});
  const changes = [
    ...removed,
    ...added,
    ...describeDelegations(next.signed, before?.signed),
    ...unknown.map((line) => `  ~ ${line.trimStart()}`),
  ];
  return changes.length === 0 ? ["  the same releases and publishers"] : changes;
}

function describeTarget({ path, length, hashes }: Described): string {
  return `${path}  ${length} bytes  sha256 ${hashes["sha256"] ?? "none"}`;
}

/** What decides over other releases of the component. */
function describeCounts({ custom }: Described): string {
  return ["counter", "floor"]
    .flatMap((field) => (custom?.[field] === undefined ? [] : [`  ${field} ${JSON.stringify(custom[field])}`]))
    .join("");
}

type Fields = Readonly<Record<string, unknown>>;

/** Everything that is said of a target but what its line shows. */
function fieldsOf({ custom, hashes, unrecognizedFields }: Described): Fields {
  const { custom: _, ...others } = unrecognizedFields;
  const { sha256: __, ...otherHashes } = hashes;
  return { ...otherHashes, ...others, ...custom };
}

function describeFields(now: Fields, then: Fields): readonly string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])];
  const say = (value: unknown): string => (value === undefined ? "not there" : JSON.stringify(value));
  return names.flatMap((name) =>
    isDeepStrictEqual(now[name], then[name])
      ? []
      : [`      ${name}: ${say(then[name])}, from now on ${say(now[name])}`],
  );
}

function describeDelegations(next: Targets, before: Targets | undefined): readonly string[] {
  const rolesOf = (targets: Targets | undefined): readonly DelegatedRole[] =>
    Object.values(targets?.delegations?.roles ?? {});
  const describe = ({ name, paths = [], threshold, keyIDs }: DelegatedRole): string =>
    `publisher ${name}: ${paths.join(", ")}, ${threshold} of ${keyIDs.join(", ")}`;
  const namesIn = (targets: Targets | undefined, other: Targets | undefined): string =>
    rolesOf(targets)
      .filter(({ name }) => other?.delegations?.roles?.[name] !== undefined)
      .map(({ name }) => name)
      .join(", ");
  const [now, then] = [rolesOf(next).map(describe), rolesOf(before).map(describe)];
  const order = rolesOf(next).map(({ name }) => name);
  return [
    ...then.filter((line) => !now.includes(line)).map((line) => `  - ${line}`),
    ...now.filter((line) => !then.includes(line)).map((line) => `  + ${line}`),
    // TUF 5.6.7: the first whose paths match answers.
    ...(namesIn(next, before) === namesIn(before, next)
      ? []
      : [`  ~ publishers are asked in this order from now on: ${order.join(", ")}`]),
  ];
}
