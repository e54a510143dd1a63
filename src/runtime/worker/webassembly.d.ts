// The part of the WebAssembly JavaScript interface that the worker uses; Node's own types leave it to the DOM library.
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  function instantiate(module: Module, imports: Imports): Promise<Instance>;
  function compile(bytes: Uint8Array): Promise<Module>;
}
