// The systemd unit as shipped: systemd itself must find nothing wrong with it and call it well confined.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentBuiltMs } from "../../src/protocol/version.ts";

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

describe("the clock before the start", () => {
  const built = Math.floor(agentBuiltMs / 1000);

  /** Runs the unit's line as systemd would, with an agent and a `date` that only say what they were told. */
  function startWith(nowSeconds: number, floor: string): string {
    const line = /^ExecStartPre=\+-\/bin\/sh -c '(.*)'$/m.exec(readFileSync(unit, "utf8"))?.[1] ?? "exit 9";
    const bin = mkdtempSync(join(directory, "bin-"));
    const write = (name: string, script: string): void =>
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    write("outstationd", floor);
    write("date", `if [ "$1" = "+%s" ]; then echo ${nowSeconds}; else echo "$1" > ${bin}/set; fi`);
    const shell = line.replaceAll("$$", "$").replaceAll("%%", "%");
    const { stderr } = spawnSync("/bin/sh", ["-c", shell], { encoding: "utf8", env: { PATH: `${bin}:/usr/bin:/bin` } });
    expect(stderr).toBe("");
    return existsSync(join(bin, "set")) ? readFileSync(join(bin, "set"), "utf8").trim() : "left alone";
  }

  it("is set forward to what was attested, and never back", () => {
    expect(startWith(0, `echo ${built}`)).toBe(`--set=@${built}`);
    expect(startWith(built, `echo ${built}`)).toBe("left alone");
    expect(startWith(built + 5, `echo ${built}`)).toBe("left alone");
  });

  it("is left alone on a gateway that is not set up", () => {
    expect(startWith(0, "exit 78")).toBe("left alone");
  });
});
