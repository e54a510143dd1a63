// What we ask of a token once it is open: find a key, make one, sign with one; never the private key itself.

/** Calls one function of the module; throws for every answer but "ok". */
export type Invoke = (name: string, types: readonly string[], ...args: readonly unknown[]) => void;

export interface Channel {
  readonly handle: bigint;
  readonly invoke: Invoke;
  /** Where bytes are in memory, for templates that point at them. */
  readonly addressOf: (bytes: Uint8Array) => bigint;
}

/** Attribute to its value. */
export type Template = Readonly<Record<number, Uint8Array>>;

export const attributes = { class: 0, token: 1, private: 2, label: 3, keyType: 0x100, ecPoint: 0x181 } as const;
const more = { id: 0x102, sensitive: 0x103, sign: 0x108, verify: 0x10a, extractable: 0x162, ecParams: 0x180 } as const;
const mechanisms = { edwardsKeyPair: 0x1055, eddsa: 0x1057 } as const;
const longest = 256;
const signatureBytes = 64;

/** PrintableString "edwards25519", as PKCS#11 3.0 names the curve. */
const edwards25519 = Uint8Array.from([0x13, 0x0c, ...new TextEncoder().encode("edwards25519")]);
const yes = Uint8Array.of(1);
const no = Uint8Array.of(0);

/** Objects that have all of these attributes. */
export function findObjects(channel: Channel, template: Template): readonly bigint[] {
  const { handle, invoke } = channel;
  const count = Object.keys(template).length;
  const encoded = encodeTemplate(channel, template);
  invoke("C_FindObjectsInit", ["unsigned long", "void *", "unsigned long"], handle, encoded, count);
  const objects = new BigUint64Array(longest);
  const found = new BigUint64Array(1);
  const types = ["unsigned long", "void *", "unsigned long", "void *"];
  invoke("C_FindObjects", types, handle, objects, objects.length, found);
  invoke("C_FindObjectsFinal", ["unsigned long"], handle);
  return [...objects.subarray(0, Number(found[0]))];
}

export function readAttribute(channel: Channel, object: bigint, attribute: number): Uint8Array {
  const value = new Uint8Array(longest);
  const template = encode(channel, [[attribute, value]]);
  const types = ["unsigned long", "unsigned long", "void *", "unsigned long"];
  channel.invoke("C_GetAttributeValue", types, channel.handle, object, template, 1);
  return value.slice(0, Number(template[2]));
}

/** Makes a key pair that the token never gives away; resolves to the public object. */
export function generateEd25519(channel: Channel, label: string): bigint {
  const name = new TextEncoder().encode(label);
  const both = { [attributes.token]: yes, [attributes.label]: name, [more.id]: name };
  const publicTemplate = { ...both, [more.verify]: yes, [more.ecParams]: edwards25519 };
  const hidden = { [attributes.private]: yes, [more.sensitive]: yes, [more.extractable]: no };
  const privateTemplate = { ...both, ...hidden, [more.sign]: yes };
  const [publicObject, privateObject] = [new BigUint64Array(1), new BigUint64Array(1)];
  channel.invoke(
    "C_GenerateKeyPair",
    ["unsigned long", "void *", "void *", "unsigned long", "void *", "unsigned long", "void *", "void *"],
    channel.handle,
    encode(channel, [[mechanisms.edwardsKeyPair, undefined]]),
    encodeTemplate(channel, publicTemplate),
    Object.keys(publicTemplate).length,
    encodeTemplate(channel, privateTemplate),
    Object.keys(privateTemplate).length,
    publicObject,
    privateObject,
  );
  return publicObject[0] ?? 0n;
}

/** PKCS#11 3.0, EdDSA in one part: the whole message, whatever its length. */
export function signEddsa(channel: Channel, privateObject: bigint, message: Uint8Array): Uint8Array {
  const { handle, invoke } = channel;
  const mechanism = encode(channel, [[mechanisms.eddsa, undefined]]);
  invoke("C_SignInit", ["unsigned long", "void *", "unsigned long"], handle, mechanism, privateObject);
  const signature = new Uint8Array(signatureBytes);
  const length = BigUint64Array.of(BigInt(signatureBytes));
  const types = ["unsigned long", "void *", "unsigned long", "void *", "void *"];
  invoke("C_Sign", types, handle, message, message.length, signature, length);
  return signature.subarray(0, Number(length[0]));
}

/** A CK_ULONG as the value of an attribute. */
export function encodeUnsigned(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

/** CK_ATTRIBUTE[] or one CK_MECHANISM: number, pointer, length, each of 8 bytes on 64-bit Linux and macOS. */
function encode(
  { addressOf }: Channel,
  entries: readonly (readonly [number, Uint8Array | undefined])[],
): BigUint64Array {
  return BigUint64Array.from(
    entries.flatMap(([number, value]) => [
      BigInt(number),
      value === undefined ? 0n : addressOf(value),
      BigInt(value?.length ?? 0),
    ]),
  );
}

function encodeTemplate(channel: Channel, template: Template): BigUint64Array {
  return encode(
    channel,
    Object.entries(template).map(([number, value]) => [Number(number), value]),
  );
}
