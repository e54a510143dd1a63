// The tables that must agree: what is offered and what is linked, what suspends and what the shim gives us.
import { expect, test } from "vitest";
import {
  handlerInterfaces,
  listPromisingExports,
  listSuspendingImports,
  offeredInterfaces,
} from "../../../src/runtime/interfaces.ts";
import { limits } from "../../../src/base/limits.ts";
import { createHostCalls } from "../../../src/runtime/worker/calls.ts";
import { createImports, listLinkable } from "../../../src/runtime/worker/imports.ts";
import { loadShim, type HostInterface } from "../../../src/runtime/worker/shim.ts";

test("every offered interface has a host, and every host is offered", () => {
  expect([...listLinkable()].sort()).toEqual(Object.keys(offeredInterfaces).sort());
});

test("every offered interface links to functions, and those that suspend are among them", async () => {
  const imports = await link();
  for (const [name, { suspends = [] }] of Object.entries(offeredInterfaces)) {
    const host = imports[name] ?? {};
    for (const suspending of suspends) expect([name, suspending, findFunction(host, suspending)]).toContain("function");
  }
});

test("links nothing but what was admitted, and refuses what has no host", async () => {
  expect(Object.keys(await link(["wasi:io/poll"]))).toEqual(["wasi:io/poll"]);
  await expect(link(["wasi:http/types"])).rejects.toThrow("no host for the admitted import wasi:http/types");
});

test("names the functions that suspend and the exports that are called as jco wants them", () => {
  expect(listSuspendingImports()).toContain("wasi:io/poll#[method]pollable.block");
  expect(listPromisingExports()).toHaveLength(Object.keys(handlerInterfaces).length + 1);
  expect(listPromisingExports()).toContain("wasi:cli/run#run");
});

test("the capability-safe build of the shim is where we look for it, and waits with promises", async () => {
  const shim = await loadShim();
  const pollable = shim.io.pollableCreate(Promise.resolve()) as { block(): unknown };
  expect(pollable.block()).toBeInstanceOf(Promise);
  for (const make of [shim.cli.createCli, shim.filesystem.createFilesystem, shim.io.outputStreamCreate])
    expect(make).toBeTypeOf("function");
});

test("the worker sees no arguments, no environment and no files", async () => {
  const imports = await link();
  const { getEnvironment, getArguments, initialCwd } = imports["wasi:cli/environment"] as Record<string, () => unknown>;
  expect([getEnvironment?.(), getArguments?.(), initialCwd?.()]).toEqual([[], [], "/"]);
  const { getDirectories } = imports["wasi:filesystem/preopens"] as Record<string, () => unknown>;
  expect(getDirectories?.()).toEqual([]);
});

test("gives every caller a stream of its own, so that dropping one closes no other", async () => {
  const lines: string[] = [];
  const imports = await link(["wasi:cli/stdout"], (line) => lines.push(line));
  const { getStdout } = imports["wasi:cli/stdout"] as {
    getStdout(): Disposable & { blockingWriteAndFlush(bytes: Uint8Array): void };
  };
  const first = getStdout();
  first.blockingWriteAndFlush(Buffer.from("one\n"));
  first[Symbol.dispose]();
  getStdout().blockingWriteAndFlush(Buffer.from("two\n"));
  expect(lines).toEqual(["one", "two"]);
});

test("makes no more random bytes at once than may cross the boundary", async () => {
  const imports = await link();
  for (const [name, method] of [
    ["wasi:random/random", "getRandomBytes"],
    ["wasi:random/insecure", "getInsecureRandomBytes"],
  ] as const) {
    const make = imports[name]?.[method] as (count: bigint) => Uint8Array;
    expect(make(16n)).toHaveLength(16);
    expect(() => make(BigInt(limits.component.callBytes) + 1n)).toThrow(RangeError);
    expect(() => make(2n ** 40n)).toThrow(RangeError);
  }
});

test("refuses arguments that are too large before they are copied", async () => {
  const posted: unknown[] = [];
  const calls = createHostCalls({ postMessage: (message: unknown) => void posted.push(message) });
  const { callBytes } = limits.component;
  const reading = { metric: "x", value: "y".repeat(callBytes / 2), t: 0 };
  for (const call of [
    calls.ask("serial.open", "é".repeat(callBytes / 2 + 1)),
    calls.ask("serial.write", 1, new Uint8Array(callBytes + 1)),
    calls.ask("readings.report", "stream", [reading, reading]),
  ])
    await expect(call).rejects.toMatchObject({ code: "invalid" });
  expect(posted).toEqual([]);
  void calls.ask("serial.write", 1, new Uint8Array(callBytes - 100));
  expect(posted).toHaveLength(1);
});

async function link(
  imports: readonly string[] = Object.keys(offeredInterfaces),
  line: (text: string) => void = () => undefined,
): Promise<Record<string, HostInterface>> {
  const sink = { line, dropped: () => undefined };
  return createImports({
    shim: await loadShim(),
    calls: createHostCalls({ postMessage: () => undefined }),
    start: {
      moduleUrl: "",
      coreModules: new Map(),
      imports,
      memoryMaxBytes: 0,
      config: {},
      readingsPerSecond: 1,
      logsPerSecond: 100,
    },
    stdout: sink,
    stderr: sink,
    droppedReadings: () => undefined,
  });
}

/** "[method]port.read-line" of an interface, as jco looks it up. */
function findFunction(host: HostInterface, witName: string): string {
  const method = /^\[method\]([^.]+)\.(.+)$/.exec(witName);
  if (method === null) return typeof host[camel(witName)];
  const resource = host[pascal(method[1] ?? "")] as { readonly prototype: Record<string, unknown> } | undefined;
  return typeof resource?.prototype[camel(method[2] ?? "")];
}

function camel(name: string): string {
  return name.replaceAll(/-(.)/g, (_match, letter: string) => letter.toUpperCase());
}

function pascal(name: string): string {
  return camel(`-${name}`);
}
