// Addresses of datagrams as people write them ("10.0.0.5:5005", "[fd00::5]:*") and as grants compare them.

export interface SocketAddress {
  readonly family: "ipv4" | "ipv6";
  /** Dotted, or eight groups of hex without leading zeros: one spelling an address. */
  readonly address: string;
  readonly port: number;
}

/** An address a grant names; port undefined means any. */
export interface GrantedAddress extends Omit<SocketAddress, "port"> {
  readonly port: number | undefined;
}

/** Undefined when the text is not an address with a port or "*". */
export function parseGrantedAddress(text: string): GrantedAddress | undefined {
  const match = /^(?:(\d+\.\d+\.\d+\.\d+)|\[([0-9a-f:]+)\]):(\d{1,5}|\*)$/.exec(text);
  if (match === null) return undefined;
  const [, ipv4, ipv6, portText] = match;
  const port = portText === "*" ? undefined : Number(portText);
  const address = ipv4 === undefined ? expandIpv6(ipv6 ?? "") : checkIpv4(ipv4);
  if (address === undefined || (port ?? 0) > 65535) return undefined;
  return { family: ipv4 === undefined ? "ipv6" : "ipv4", address, port };
}

/** True when one of the granted texts covers the address. */
export function isGranted(granted: readonly string[], address: SocketAddress): boolean {
  return granted.map(parseGrantedAddress).some((grant) => grant !== undefined && covers(grant, address));
}

export function formatAddress({ family, address, port }: SocketAddress): string {
  return family === "ipv4" ? `${address}:${port}` : `[${address}]:${port}`;
}

/** "fd00::5" to "fd00:0:0:0:0:0:0:5"; undefined when it is not an IPv6 address. */
export function expandIpv6(text: string): string | undefined {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => "0"), ...after];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return undefined;
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}

function checkIpv4(text: string): string | undefined {
  return text.split(".").every((part) => Number(part) <= 255) ? text.split(".").map(Number).join(".") : undefined;
}

function covers(grant: GrantedAddress, address: SocketAddress): boolean {
  if (grant.family !== address.family || grant.address !== address.address) return false;
  return grant.port === undefined || grant.port === address.port;
}
