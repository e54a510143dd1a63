// The two tables of the architecture as data: who may import whom, and who may use which power of the machine.

/** Directory to the directories it may import; a directory may always import itself. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  devices: [],
  "src/base": [],
  "src/protocol": ["src/base"],
  "src/link": ["src/base", "src/protocol"],
  "src/trust": ["src/base", "src/protocol"],
  "src/store": ["src/base", "src/protocol"],
  "src/runtime": ["src/base", "src/protocol", "devices"],
  "src/telemetry": ["src/base", "src/protocol"],
  "src/control": ["src/base", "src/protocol"],
  "src/agent": [
    "src/base",
    "src/protocol",
    "src/link",
    "src/trust",
    "src/store",
    "src/runtime",
    "src/telemetry",
    "src/control",
    "devices",
  ],
  "src/operator": ["src/base", "src/protocol", "src/link"],
  "src/cli": ["src/base", "src/protocol", "src/operator"],
};

/** A power of the machine: the modules or names that give it, and the places (files or directories) that may use it. */
export interface Power {
  readonly name: string;
  readonly modules: readonly string[];
  readonly globals: readonly string[];
  readonly allowed: readonly string[];
}

export const powers: readonly Power[] = [
  {
    name: "file system",
    modules: ["node:fs", "node:fs/promises", "node:sqlite"],
    globals: [],
    allowed: [
      "src/store/nodeDisk.ts",
      "src/trust/scratch.ts",
      "src/runtime/cache.ts",
      "src/runtime/transpileChild.ts",
      "src/operator/files.ts",
      "src/operator/workspaceLock.ts",
      "src/agent/config.ts",
      "src/agent/stateLock.ts",
      "src/agent/rebuildChild.ts",
      "devices/simulated/trace.ts",
      "devices/serial/hangup.ts",
      "src/cli/input.ts",
    ],
  },
  {
    name: "network",
    modules: ["node:net", "node:dgram", "node:tls", "node:http", "node:https", "mqtt"],
    globals: ["fetch", "WebSocket"],
    allowed: ["src/link/connection.ts", "devices/udp"],
  },
  {
    name: "workers and child processes",
    modules: ["node:worker_threads", "node:child_process"],
    globals: [],
    allowed: ["src/runtime/worker", "src/runtime/startWorker.ts", "src/runtime/transpile.ts", "src/agent/rebuild.ts"],
  },
  {
    name: "keys",
    modules: ["node:crypto", "jose"],
    globals: ["crypto"],
    allowed: [
      "src/base/random.ts",
      "src/base/hash.ts",
      "src/trust/attestTime.ts",
      "src/operator/keys",
      "src/operator/source/provenance.ts",
      "src/control/verifyCommand.ts",
    ],
  },
  {
    name: "native code",
    modules: [
      "koffi",
      "serialport",
      "@serialport/bindings-cpp",
      "@serialport/bindings-cpp/dist/poller.js",
      "@serialport/bindings-cpp/dist/unix-read.js",
    ],
    globals: [],
    allowed: [
      "devices/serial/linux.ts",
      "devices/serial/pollerGuard.ts",
      "devices/serial/hangup.ts",
      "devices/gpio/linux",
      "src/operator/keys/cryptoki.ts",
    ],
  },
  {
    name: "time and chance",
    modules: ["node:timers", "node:timers/promises"],
    globals: [
      "Date.now",
      "new Date()",
      "performance.now",
      "setTimeout",
      "setInterval",
      "setImmediate",
      "Math.random",
      "process.env",
    ],
    allowed: [
      "src/base/clock.ts",
      "devices/clock.ts",
      "devices/serial/pollerGuard.ts",
      "src/runtime/worker",
      "src/agent/main.ts",
      "src/cli/main.ts",
    ],
  },
];

/** A dependency is imported in these places alone, so that leaving it means changing them alone. */
export const dependencies: Readonly<Record<string, readonly string[]>> = {
  mqtt: ["src/link/connection.ts"],
  "tuf-js": ["src/trust/tuf"],
  "@tufjs/models": [
    "src/trust/tuf",
    "src/operator/repository",
    "src/operator/ceremony",
    "src/operator/serve/clearSuperseded.ts",
  ],
  jose: ["src/control/verifyCommand.ts"],
  valibot: [
    "src/protocol",
    "src/trust/floors.ts",
    "src/telemetry/checkpoint.ts",
    "src/agent/config.ts",
    "src/agent/agentMethods.ts",
    "src/agent/reportedFile.ts",
    "src/operator",
    "devices/boardFile.ts",
  ],
  pino: ["src/agent/log.ts"],
  conf: ["src/agent/config.ts"],
  serialport: ["devices/serial/linux.ts"],
  "@serialport/bindings-cpp": ["devices/serial/pollerGuard.ts", "devices/serial/hangup.ts"],
  koffi: ["devices/gpio/linux", "src/operator/keys/cryptoki.ts"],
  "@bytecodealliance/jco-transpile": ["src/runtime/transpileChild.ts"],
  "@bytecodealliance/jco": [],
  "@sigstore/bundle": ["src/operator/source/provenance.ts"],
  "@sigstore/protobuf-specs": ["src/operator/source/provenance.ts"],
  "@sigstore/verify": ["src/operator/source/provenance.ts"],
  "@bytecodealliance/preview2-shim": ["src/runtime/worker/shim.ts"],
};

/** Exports that only these files may import. */
export const guardedExports: Readonly<Record<string, readonly string[]>> = {
  markVerified: ["src/trust/verifyComponent.ts"],
};
