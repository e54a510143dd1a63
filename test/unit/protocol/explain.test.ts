// The words for where a gateway stands: what it runs, what stands in the way, and nothing that only looks like ours.
import { expect, test } from "vitest";
import { describePhase, explainStanding } from "../../../src/protocol/explain.ts";
import type { ReportedDocument } from "../../../src/protocol/reports.ts";

const report = (changes: Partial<ReportedDocument> = {}): ReportedDocument => ({
  gateway: "g-1",
  deployment: 3,
  desired: 3,
  phase: "committed",
  components: {},
  at: "2026-11-22T10:00:00.000Z",
  ...changes,
});
const refusal = { rule: "admission.grant", seen: "no relay", fix: "Grant it." };

test("says that nothing stands in the way, or that nothing was asked for", () => {
  expect(explainStanding({ reported: report() })).toBe(
    "g-1 runs deployment 3, as of 2026-11-22T10:00:00.000Z.\nNothing stands in the way of anything.",
  );
  const idle = report({ deployment: 0, desired: 0, phase: "idle" });
  expect(explainStanding({ reported: idle })).toMatch(/^g-1 runs nothing, as of .*\nNothing was deployed to it yet\.$/);
});

test("tells a refusal with its rule, and untrusted metadata without a version", () => {
  const reported = report({ desired: 4, phase: "refused", refusal });
  expect(explainStanding({ reported })).toMatch(
    /^g-1 runs deployment 3, and deployment 4 is refused, .*\ndeployment 4 was refused, at .*\n {2}rule {2}admission\.grant: Every port .*\n {2}seen {2}no relay\n {2}fix {3}Grant it\.$/,
  );
  const untrusted = report({ phase: "refused", refusal: { ...refusal, rule: "trust.signature" } });
  expect(explainStanding({ reported: untrusted })).toContain("\nwhat is published was refused");
});

test("tells trouble that was reported before, and what failed here", () => {
  const trouble = report({ desired: 4, phase: "rolled-back", reason: "it crashed" });
  const failed = [{ version: 4, reason: "it crashed", at: "2026-11-22T09:00:00.000Z" }];
  expect(explainStanding({ reported: report(), trouble, failed }).split("\n").slice(1)).toEqual([
    "deployment 4 was rolled back, at 2026-11-22T10:00:00.000Z.",
    "  why   it crashed",
    "  fix   It is not tried again. Deploy another release, or other settings.",
    "deployment 4 failed here, at 2026-11-22T09:00:00.000Z, and is not tried again: it crashed",
  ]);
});

test("tells each component that is down or was, and sets its words apart from ours", () => {
  const boiler = { release: "boiler@1.0.0", sha256: "", status: "backing-off", restarts: 2 } as const;
  const components = { boiler: { ...boiler, reason: "gone\ng-1 runs well" }, pump: { ...boiler, restarts: 0 } };
  expect(
    explainStanding({ reported: report({ components }) })
      .split("\n")
      .slice(1),
  ).toEqual([
    "boiler (boiler@1.0.0) is backing-off, after 2 restarts.",
    "  last end  gone",
    "    g-1 runs well",
    "pump (boiler@1.0.0) is backing-off.",
  ]);
});

test("tells how far a download is", () => {
  const progress = { receivedBytes: 300_000, totalBytes: 1_000_000 };
  expect(describePhase({ phase: "fetching", progress })).toBe("fetching, 30 % of 977 KiB");
  expect(describePhase({ phase: "trial", progress })).toBe("trial");
  const reported = report({ desired: 4, phase: "fetching", progress });
  expect(explainStanding({ reported })).toContain("deployment 4 is fetching, 30 % of 977 KiB, as of");
});
