// The systemd unit as shipped: systemd itself must find nothing wrong with it and call it well confined.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const shipped = new URL("../../systemd/", import.meta.url);
/** Of 100; measured with systemd 252 as 17, where 10 is out of reach for a process that compiles and talks to devices. */
const exposure = 20;

const missing = missingAnalyzer();
let unit: string;
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "outstation-systemd-"));
  unit = join(directory, "outstationd.service");
  // The command is not installed here; everything else is verified as it is.
  const text = readFileSync(new URL("outstationd.service", shipped), "utf8");
  writeFileSync(unit, text.replace("ExecStart=outstationd", `ExecStart=${process.execPath}`));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it("has no mistake that systemd can find", (context) => {
  context.skip(missing !== undefined, missing);
  const { status, stderr } = analyze("verify", unit);
  // Back-off is known from systemd 254 on; older ones say that they ignore it.
  const isOlder = /Unknown key (name )?'Restart(Steps|MaxDelaySec)'/;
  expect(stderr.split("\n").filter((line) => line !== "" && !isOlder.test(line))).toEqual([]);
  expect(status).toBe(0);
});

it("is confined to what it needs", (context) => {
  context.skip(missing !== undefined, missing);
  const { status, stdout } = analyze("security", "--offline=true", `--threshold=${exposure}`, unit);
  expect({ status, stdout }).toMatchObject({ status: 0 });
});

it("stays down only for what a restart cannot mend", () => {
  const text = readFileSync(new URL("outstationd.service", shipped), "utf8");
  expect(text).toMatch(/^Restart=always$/m);
  expect(text).toMatch(/^RestartPreventExitStatus=2 78$/m);
});

it("names only groups that the sysusers file makes", () => {
  const text = readFileSync(new URL("outstationd.service", shipped), "utf8");
  const groups = /^SupplementaryGroups=(.*)$/m.exec(text)?.[1]?.split(" ") ?? [];
  const made = readFileSync(new URL("outstation.sysusers.conf", shipped), "utf8");
  expect(groups.filter((group) => !new RegExp(`^g +${group} `, "m").test(made))).toEqual([]);
});

function analyze(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("systemd-analyze", args, { encoding: "utf8", env: { ...process.env, SYSTEMD_COLORS: "0" } });
}

function missingAnalyzer(): string | undefined {
  const { error } = spawnSync("systemd-analyze", ["--version"]);
  return error === undefined ? undefined : `systemd-analyze is not installed (${error.message})`;
}
