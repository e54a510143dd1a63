// A PKCS#11 module in this process, open for one task: finds a token by its label and logs in with its PIN.
import { OperatorError } from "../error.ts";
import type { Channel, Invoke } from "./tokenSession.ts";

export interface TokenAddress {
  /** Path of the vendor's PKCS#11 module. */
  readonly module: string;
  /** Label of the token. */
  readonly token: string;
  readonly pin: string;
}

const readWriteSession = 6n;
const user = 1n;
/** CK_TOKEN_INFO is shorter; it begins with the label. */
const tokenInfoBytes = 512;
const labelBytes = 32;

const codes = { wrongPin: 0xa0, lockedPin: 0xa4, alreadyLoggedIn: 0x100, alreadyInitialized: 0x191 } as const;
const meanings: Readonly<Record<number, string>> = {
  0x70: "it cannot sign with ed25519",
  0xa0: "the PIN is wrong",
  0xa2: "the PIN is too short or too long",
  0xa4: "the PIN is locked after too many wrong ones",
  0xe0: "it is not there",
};

/** OperatorError "token-failed" or "token-locked" for everything that the module, or the token, says no to. */
export async function withToken<T>(address: TokenAddress, use: (channel: Channel) => T): Promise<T> {
  // Only who has a token needs native code.
  const { default: koffi } = await import("koffi");
  const library = loadLibrary(address, (path) => koffi.load(path));
  const call = (name: string, types: readonly string[], ...args: readonly unknown[]): number =>
    Number(library.func(name, "unsigned long", [...types])(...args));
  const accept = (name: string, code: number, fine?: number): void => {
    if (code !== 0 && code !== fine) throw describeFailure(address, name, code);
  };
  const invoke: Invoke = (name, types, ...args) => accept(name, call(name, types, ...args));
  accept("C_Initialize", call("C_Initialize", ["void *"], null), codes.alreadyInitialized);
  try {
    const handle = openSession(address, invoke);
    const pin = new TextEncoder().encode(address.pin);
    const types = ["unsigned long", "unsigned long", "void *", "unsigned long"];
    accept("C_Login", call("C_Login", types, handle, user, pin, pin.length), codes.alreadyLoggedIn);
    return use({ handle, invoke, addressOf: (bytes) => BigInt(koffi.address(bytes)) });
  } finally {
    // Ends every session, so that the token is locked again.
    call("C_Finalize", ["void *"], null);
  }
}

function loadLibrary<Library>({ module }: TokenAddress, load: (path: string) => Library): Library {
  try {
    return load(module);
  } catch (cause) {
    const message = `The PKCS#11 module ${module} cannot be loaded: ${(cause as Error).message}. Check the path; SoftHSM's is /usr/lib/softhsm/libsofthsm2.so.`;
    throw new OperatorError("token-failed", message, { cause });
  }
}

function openSession({ module, token }: TokenAddress, invoke: Invoke): bigint {
  const count = new BigUint64Array(1);
  const types = ["uint8_t", "void *", "void *"];
  invoke("C_GetSlotList", types, 1, null, count);
  const slots = new BigUint64Array(Number(count[0]));
  invoke("C_GetSlotList", types, 1, slots, count);
  const found = slots.subarray(0, Number(count[0])).find((slot) => {
    const description = new Uint8Array(tokenInfoBytes);
    invoke("C_GetTokenInfo", ["unsigned long", "void *"], slot, description);
    // Filled up with spaces.
    return new TextDecoder().decode(description.subarray(0, labelBytes)).trimEnd() === token;
  });
  if (found === undefined)
    throw new OperatorError("token-failed", `There is no token "${token}" in ${module}. Is it plugged in?`);
  const handle = new BigUint64Array(1);
  const open = ["unsigned long", "unsigned long", "void *", "void *", "void *"];
  invoke("C_OpenSession", open, found, readWriteSession, null, null, handle);
  return handle[0] ?? 0n;
}

function describeFailure({ module, token }: TokenAddress, call: string, code: number): OperatorError {
  const meaning = meanings[code] ?? `${call} failed with 0x${code.toString(16)}`;
  const isPin = code === codes.wrongPin || code === codes.lockedPin;
  const fix = isPin ? "Set OUTSTATION_PIN or give --pin-file." : `See what ${module} says of it.`;
  return new OperatorError(isPin ? "token-locked" : "token-failed", `The token "${token}" refuses: ${meaning}. ${fix}`);
}
