// npm test: every test, the reason for each one that was skipped, and one plain closing line; --no-skips allows none.
import { startVitest } from "vitest/node";

const noSkips = "--no-skips";
const args = process.argv.slice(2);
const filters = args.filter((arg) => arg !== noSkips);

console.log(`Node ${process.version}`);
const vitest = await startVitest("test", filters, { watch: false, reporters: ["default"] });
const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
const counted = { passed: 0, failed: 0, skipped: 0 };
const reasons = new Map<string, number>();
for (const test of tests) {
  const result = test.result();
  if (result.state === "passed") counted.passed += 1;
  else if (result.state === "failed") counted.failed += 1;
  else {
    counted.skipped += 1;
    const reason = (result.state === "skipped" && result.note) || "no reason given";
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
}
// A file that could not even be loaded has no tests, and no skip is without a reason.
const broken = vitest.state.getTestModules().filter((module) => module.errors().length > 0).length;
const unexplained = reasons.get("no reason given") ?? 0;
await vitest.close();

for (const [reason, count] of reasons) console.log(`skipped ${count}: ${reason}`);
console.log(`${counted.passed} passed, ${counted.failed + broken} failed, ${counted.skipped} skipped`);
const forbidden = args.includes(noSkips) ? counted.skipped : unexplained;
if (forbidden > 0) console.log("every test has to run here, and none may be skipped without a reason");
process.exitCode = counted.failed + broken + forbidden > 0 ? 1 : (process.exitCode ?? 0);
