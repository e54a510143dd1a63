// The process outstationd: set up once, one a state directory, clear words for what is wrong, and a quick end.
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { createRepositories } from "../../../src/operator/repository/create.ts";
import { initWorkspace } from "../../../src/operator/workspace.ts";
import { startAedes } from "../../support/brokers.ts";
import { runCommand, startCommand, type Outcome, type StartedProcess } from "../../support/commandLine.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

const running = "the committed set runs";
const setupArguments = ["setup", "--id", "g-1", "--factory", "fleet/factory.json", "--board", "board.json"];
const cleanup = new AsyncDisposableStack();
let directory = "";
let state = "";
let states = 0;

function outstationd(...args: readonly string[]): Promise<Outcome> {
  return runCommand("outstationd", [...args, "--state", state], { directory });
}

function start(...args: readonly string[]): StartedProcess {
  return startCommand("outstationd", ["run", "--state", state, ...args], { directory });
}

/** Ends with this code and these words, without a stack. */
function expectFailure({ code, stdout, stderr }: Outcome, expected: number, words: string): void {
  expect({ code, stdout, stderr }).toEqual({ code: expected, stdout: "", stderr: expect.stringContaining(words) });
  expect(stderr).not.toMatch(/^\s+at .*:\d+/m);
}

beforeAll(async () => {
  directory = cleanup.use(await createTemporaryDirectory()).path;
  // A port on which nobody listens any more: the broker of this fleet is away.
  const broker = await startAedes();
  await broker.stop();
  const clock = systemClock;
  const workspace = await initWorkspace(join(directory, "fleet"), { broker: broker.url, root: "t", dev: true, clock });
  await createRepositories(workspace);
  await writeFile(join(directory, "board.json"), "{}");
  await writeFile(join(directory, "wrong.json"), '{"serial": {"probe": {"simulated": "thermometer"}}}');
  await writeFile(join(directory, "file"), "");
}, 60_000);

afterAll(() => cleanup.disposeAsync());

beforeEach(() => {
  states += 1;
  state = join(directory, `state-${states}`);
});

describe("outstationd setup", () => {
  it("writes a configuration for its owner's eyes only, once", async () => {
    expect(await outstationd(...setupArguments)).toMatchObject({ code: 0, stderr: "" });
    const path = join(state, "config.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const before = await readFile(path, "utf8");
    expect(JSON.parse(before)).toMatchObject({
      gateway: "g-1",
      protocol: "auto",
      board: join(directory, "board.json"),
    });
    expectFailure(await outstationd(...setupArguments), 78, "is set up already. Remove it first");
    expect(await readFile(path, "utf8")).toBe(before);
  });

  it.each([
    ["--id", "Pump 7", 78, 'at "gateway": expected a name of a-z'],
    ["--broker", "broker.example", 78, 'at "broker": expected a broker URL such as mqtt://host:1883'],
    ["--mqtt", "4", 78, 'at "protocol"'],
    ["--factory", "none.json", 78, "The factory file none.json cannot be read"],
    ["--factory", "board.json", 78, "The factory file board.json is not valid"],
    ["--board", "none.json", 78, "The board file none.json cannot be read"],
    ["--board", "wrong.json", 78, "wrong.json: The board file is not valid: at"],
    ["--password-file", "none.txt", 78, "The password file none.txt cannot be read"],
    ["--state", "file/state", 78, "cannot be written"],
    ["--log", "loud", 2, "--log is one of debug, info, warn, error"],
    ["--frobnicate", "yes", 2, "--frobnicate"],
  ])("refuses %s %s", async (option, value, code, words) => {
    const args = [...setupArguments, "--state", state, option, value];
    expectFailure(await runCommand("outstationd", args, { directory }), code, words);
    await expect(stat(join(state, "config.json"))).rejects.toThrow("ENOENT");
  });

  it("makes a state directory that no other user of the machine can look into", async () => {
    await outstationd(...setupArguments);
    expect((await stat(state)).mode & 0o777).toBe(0o700);
  });

  it("needs a name, a factory file and a board", async () => {
    expectFailure(await outstationd("setup", "--id", "g-1"), 2, "needs --id, --factory and --board");
    expectFailure(await outstationd("install"), 2, 'there is no "install"');
    expectFailure(await outstationd("run", "now"), 2, '"now" is one word too many');
  });
});

describe("outstationd run", () => {
  it("refuses a directory that is not set up", async () => {
    expectFailure(await outstationd("run"), 78, "is not set up. Run: outstationd setup --state");
  });

  it.each([
    ["is torn", () => '{"gateway": "g', "config.json cannot be read"],
    ["has a key that is not known", (config: object) => JSON.stringify({ ...config, debug: true }), 'at "debug"'],
    [
      "names a board that is gone",
      (config: object) => JSON.stringify({ ...config, board: "/none" }),
      "board file /none",
    ],
    ["names a wrong board", (config: object) => JSON.stringify({ ...config, board: "wrong.json" }), "wrong.json: "],
  ])("refuses a configuration that %s", async (_case, damage, words) => {
    await outstationd(...setupArguments);
    const path = join(state, "config.json");
    await writeFile(path, damage(JSON.parse(await readFile(path, "utf8")) as object));
    expectFailure(await outstationd("run"), 78, words);
  });

  it("says that it may not write its state", async () => {
    await outstationd(...setupArguments);
    // What root, too, cannot write.
    await mkdir(join(state, "lock"));
    expectFailure(await outstationd("run"), 78, "cannot be written");
  });

  it("lets one agent run on a directory, and the next after it was killed", async () => {
    await outstationd(...setupArguments);
    const first = start();
    await first.until(running);
    expectFailure(await outstationd("run"), 1, "Another outstationd runs on");
    first.kill("SIGKILL");
    await first.ended;
    const second = start();
    await second.until(running);
    second.kill("SIGTERM");
    expect(await second.ended).toMatchObject({ code: 0 });
  });

  it("runs without a broker, and stops when it is told to", async () => {
    await outstationd(...setupArguments);
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const daemon = start();
      await daemon.until("nothing listens there (ECONNREFUSED)");
      daemon.kill(signal);
      expect(await daemon.ended).toMatchObject({ code: 0, stderr: "" });
    }
  });

  it("ends, so that it is started again, when it cannot start", async () => {
    await outstationd(...setupArguments);
    await writeFile(join(state, "commands"), "no directory");
    expect(await outstationd("run")).toMatchObject({ code: 1, stderr: expect.stringContaining("outstationd: ") });
  });
});
