// The capability-safe build of preview2-shim, reached by file: its package entry under Node is the allow-all one.

/** An interface of the import object: function and class names as jco spells them. */
export type HostInterface = Readonly<Record<string, unknown>>;

/** Something a guest can wait for; made only by the shim, so that `wasi:io/poll` recognises it. */
export interface Pollable {
  readonly [Symbol.toStringTag]?: string;
}

export interface PollableSource {
  ready(): boolean;
  wait(): Promise<void>;
}

interface ShimCli {
  createCli(config: { stdout: OutputHandler; stderr: OutputHandler }): Readonly<Record<string, HostInterface>>;
}

/** Where written bytes go. */
export interface OutputHandler {
  write(bytes: Uint8Array): void;
  flush?(): void;
  blockingFlush?(): void;
}

export interface Shim {
  readonly cli: ShimCli;
  readonly clocks: { readonly monotonicClock: HostInterface; readonly wallClock: HostInterface };
  readonly filesystem: {
    readonly types: HostInterface;
    createFilesystem(config: { adapter: object; preopens: object }): Readonly<Record<string, HostInterface>>;
  };
  readonly io: {
    readonly error: HostInterface;
    readonly poll: HostInterface;
    readonly streams: HostInterface;
    outputStreamCreate(handler: OutputHandler): object;
    pollableCreate(source?: Promise<void> | PollableSource): Pollable;
  };
  readonly random: {
    readonly random: HostInterface;
    readonly insecure: HostInterface;
    readonly insecureSeed: HostInterface;
  };
  readonly sockets: { readonly network: HostInterface; readonly instanceNetwork: HostInterface };
}

const build = new URL("../browser/", import.meta.resolve("@bytecodealliance/preview2-shim"));

/** Loads it; nothing is granted by default and no thread is started. */
export async function loadShim(): Promise<Shim> {
  const names = ["cli", "clocks", "filesystem", "io", "random", "sockets"] as const;
  const modules = await Promise.all(names.map((name) => import(new URL(`${name}.js`, build).href)));
  return Object.fromEntries(names.map((name, index) => [name, modules[index]])) as unknown as Shim;
}
