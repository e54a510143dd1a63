// Hears every failure of tuf-js where it happens and says which rule it breaks; no message is ever matched.
import { Metadata, MetadataKind } from "@tufjs/models";
import { LengthOrHashMismatchError, UnsignedMetadataError } from "@tufjs/models/dist/error.js";
import * as tuf from "tuf-js/dist/error.js";
import type { TrustedMetadataStore } from "tuf-js/dist/store.js";
import { describeError } from "../../base/error.ts";
import { refuse } from "../../protocol/refusal.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { TrustError } from "../error.ts";
import { findOddDelegation, findTwins } from "./metadata.ts";
import type { Role } from "./metadata.ts";

/** Thrown into tuf-js in place of what it does not check itself. */
class KeyTwinError extends Error {}
class DelegationError extends Error {}

/**
 * The Updater turns snapshot and targets failures into text (RuntimeError), so the last one it met is remembered here,
 * by class and by step.
 */
export class Witness {
  /** Delegated role to the role that delegated to it, in the order they were trusted. */
  readonly delegators = new Map<string, string>();
  #refusal: Refusal | undefined;
  #transport: { readonly thrown: unknown } | undefined;
  #noTimestamp = false;

  watch(store: TrustedMetadataStore): void {
    const updateRoot = store.updateRoot.bind(store);
    const updateTargets = store.updateDelegatedTargets.bind(store);
    store.updateRoot = this.#watched("root", store, (bytes) => {
      checkRootKeys(bytes);
      return updateRoot(bytes);
    });
    store.updateTimestamp = this.#watched("timestamp", store, store.updateTimestamp.bind(store));
    store.updateSnapshot = this.#watched("snapshot", store, store.updateSnapshot.bind(store));
    store.updateDelegatedTargets = this.#watched("targets", store, (bytes, role, delegator) => {
      checkDelegations(bytes, role);
      updateTargets(bytes, role, delegator);
      if (role !== "targets") this.delegators.set(role, delegator);
    });
  }

  unreachable(thrown: unknown): void {
    this.#transport = { thrown };
  }

  missing(name: string): void {
    this.#noTimestamp = name === "timestamp.json";
    this.#refusal = refuse("trust.missing", `${name} is not there.`, "Publish the repository again.");
  }

  tooLong(name: string, maxBytes: number): void {
    // TUF 5.3.3, 5.4.1, 5.5.1, 5.6.1: no role may send more than its bound (endless data).
    this.#refusal = refuse("trust.mismatch", `${name} is longer than ${maxBytes} bytes.`, fixes["trust.mismatch"]);
  }

  explain(thrown: unknown): Refusal | "no-timestamp" {
    if (this.#transport !== undefined) throw this.#transport.thrown;
    if (this.#noTimestamp) return "no-timestamp";
    if (this.#refusal !== undefined) return this.#refusal;
    // The Updater trips over a snapshot that does not list a role's file before the store can say so.
    if (thrown instanceof TypeError) return refuse("trust.malformed", "The snapshot is incomplete.", fixes.malformed);
    // A role that two others delegate to is held against both, outside the store.
    if (thrown instanceof UnsignedMetadataError) return classify("targets", thrown, false) ?? malformed(thrown);
    const message = `The metadata could not be kept while it was verified: ${describeError(thrown)}. Is the temporary directory full?`;
    throw new TrustError("scratch-failed", message, { cause: thrown, retryable: true });
  }

  #watched<Args extends unknown[], Result>(
    step: Role,
    store: TrustedMetadataStore,
    call: (...args: Args) => Result,
  ): (...args: Args) => Result {
    return (...args) => {
      const before = store.snapshot;
      try {
        const result = call(...args);
        this.#refusal = undefined;
        return result;
      } catch (thrown) {
        this.#refusal = classify(step, thrown, store.snapshot !== before);
        throw thrown;
      }
    };
  }
}

export const fixes = {
  malformed: "Sign and publish the repository again with a current outstation.",
  "trust.signature": "Sign with the keys the root names, and enough of them.",
  "trust.rollback": "Publish the newest metadata again; a broker or mirror may be serving old files.",
  "trust.expired": "Sign and publish the repository again, and check the gateway's clock.",
  "trust.mismatch": "Publish the repository again; files of different moments may be mixed.",
} as const;

function malformed(thrown: unknown): Refusal {
  return refuse("trust.malformed", `${describeError(thrown)}.`, fixes.malformed);
}

/** The rule a failure of one step breaks. `accepted`: the store took the snapshot and refused it only as the final one. */
function classify(step: Role, thrown: unknown, accepted: boolean): Refusal | undefined {
  const seen = `${step}: ${describeError(thrown)}.`;
  // The same timestamp again is the normal case of nothing new (TUF 5.4.3).
  if (thrown instanceof tuf.EqualVersionError) return undefined;
  // TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3: arbitrary software attack; one key under two ids would count twice.
  if (thrown instanceof UnsignedMetadataError || thrown instanceof KeyTwinError)
    return refuse("trust.signature", seen, fixes["trust.signature"]);
  // TUF 5.3.10, 5.4.4, 5.5.6, 5.6.5: freeze attack.
  if (thrown instanceof tuf.ExpiredMetadataError) return refuse("trust.expired", seen, fixes["trust.expired"]);
  // TUF 5.5.2, 5.6.2: length and hash as the role above signed them.
  if (thrown instanceof LengthOrHashMismatchError) return refuse("trust.mismatch", seen, fixes["trust.mismatch"]);
  if (thrown instanceof tuf.BadVersionError) {
    // TUF 5.5.4, 5.6.4: the version the role above named; otherwise 5.3.5, 5.4.3, 5.5.5: rollback.
    const mixed = step === "targets" || (step === "snapshot" && accepted);
    const rule = mixed ? "trust.mismatch" : "trust.rollback";
    return refuse(rule, seen, fixes[rule]);
  }
  // TUF 5.5.5: a role that vanishes from the snapshot is a rollback of that role.
  if (thrown instanceof tuf.RepositoryError && step === "snapshot")
    return refuse("trust.rollback", seen, fixes["trust.rollback"]);
  return refuse("trust.malformed", seen, fixes.malformed);
}

function checkRootKeys(bytes: Buffer): void {
  const twins = findTwins(Metadata.fromJSON(MetadataKind.Root, JSON.parse(bytes.toString())).signed.keys);
  if (twins !== undefined) throw new KeyTwinError(`it lists one key as ${twins.join(" and as ")}`);
}

function checkDelegations(bytes: Buffer, role: string): void {
  const targets = Metadata.fromJSON(MetadataKind.Targets, JSON.parse(bytes.toString())).signed;
  const twins = findTwins(targets.delegations?.keys ?? {});
  if (twins !== undefined) throw new KeyTwinError(`it lists one key as ${twins.join(" and as ")}`);
  const odd = findOddDelegation(targets, role);
  if (odd !== undefined) throw new DelegationError(odd);
}
