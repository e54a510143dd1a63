// Addresses between WASI's tuples and the product's text form.
import { expandIpv6, type SocketAddress } from "../../../protocol/address.ts";

/** `ip-socket-address` as jco lifts it. */
export type WitSocketAddress =
  | { readonly tag: "ipv4"; readonly val: { readonly port: number; readonly address: readonly number[] } }
  | {
      readonly tag: "ipv6";
      readonly val: { readonly port: number; readonly address: readonly number[]; flowInfo: number; scopeId: number };
    };

export function fromWit({ tag, val }: WitSocketAddress): SocketAddress {
  const address = tag === "ipv4" ? val.address.join(".") : val.address.map((group) => group.toString(16)).join(":");
  return { family: tag, address, port: val.port };
}

export function toWit({ family, address, port }: SocketAddress): WitSocketAddress {
  if (family === "ipv4") return { tag: "ipv4", val: { port, address: address.split(".").map(Number) } };
  const groups = (expandIpv6(address) ?? "0:0:0:0:0:0:0:0").split(":").map((group) => Number.parseInt(group, 16));
  return { tag: "ipv6", val: { port, address: groups, flowInfo: 0, scopeId: 0 } };
}
