// The part of the WebAssembly JavaScript interface that the worker uses; Node's own types leave it to the DOM library.
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
