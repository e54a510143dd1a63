// Suites that need something this machine may not have: they run, or stand in the report as skipped with the reason.
import { describe, it } from "vitest";

/** `missing` says in words what is not there; undefined when everything is. */
export function describeNeeding(missing: string | undefined, name: string, body: () => void): void {
  if (missing === undefined) return void describe(name, body);
  describe(name, () => {
    it("is not tested on this machine", (context) => context.skip(missing));
  });
}
