// The kinds of value that stand in a set's key or a map's value, each with its one canonical spelling. Elements are
// compared as text, so what linkspan writes and what libnftables prints must come out of here alike.

import type { Ip } from "#inet/ip.ts"
import { family, ipBytes, parseIp } from "#inet/ip.ts"
import { IPPROTO, PROTOCOLS } from "#inet/port.ts"

export type Field =
  | "ifname"
  | "mac"
  | "ip4"
  | "ip6"
  | "prefix4"
  | "prefix6"
  | "protocol"
  | "port"
  | "number128"
  | "verdict"

/** The name of each field's type in nft(8); `prefix` fields are addresses in a set that has `flags interval`. */
export const NFT_TYPE = {
  ifname: "ifname",
  mac: "ether_addr",
  ip4: "ipv4_addr",
  ip6: "ipv6_addr",
  prefix4: "ipv4_addr",
  prefix6: "ipv6_addr",
  protocol: "inet_proto",
  port: "inet_service",
  number128: "integer",
  verdict: "verdict",
} as const satisfies Record<Field, string>

/** Interface names are always quoted, so that a name like "tcp" is no keyword. {@link parseIfname} leaves nothing to escape. */
export function quoteIfname(ifname: string): string {
  return `"${ifname}"`
}

export function unquoteIfname(text: string): string {
  return text.slice(1, -1)
}

/**
 * A prefix as nft prints it: a prefix that is one address loses its length.
 * @param text canonical "ADDRESS/LENGTH"
 */
export function prefixText(text: string): string {
  return text.replace(/^([0-9.]+)\/32$|^([0-9a-f:]+)\/128$/, (_, ip4?: string, ip6?: string) => ip4 ?? ip6 ?? "")
}

/** An IPv6 address as the 128-bit integer that a raw payload expression (`@th,64,128`) compares with. */
export function ipNumber(ip: Ip): string {
  const digits = Array.from(ipBytes(ip), (byte) => byte.toString(16).padStart(2, "0")).join("")
  return `0x${digits.replace(/^0+(?=.)/, "")}`
}

/**
 * Reads one value as libnftables prints it into its canonical spelling. Text that is none of ours (an interval that
 * is no prefix, a name from /etc/services) comes back as it is: it equals no element that linkspan makes.
 */
export function canonicalField(field: Field, text: string): string {
  return READERS[field](text)
}

const READERS = {
  ifname: (text) => quoteIfname(text.replace(/^"(.*)"$/, "$1")),
  mac: (text) => text.toLowerCase(),
  ip4: canonicalAddress,
  ip6: canonicalAddress,
  prefix4: canonicalPrefix,
  prefix6: canonicalPrefix,
  protocol: protocolName,
  port: (text) => text,
  // gmp's "%Zx" in integer_type_print() of nftables' src/datatype.c; decimal where a version prints it so.
  number128: (text) => (/^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? `0x${BigInt(text).toString(16)}` : text),
  verdict: (text) => text.replace(/\s+/g, " "),
} as const satisfies Record<Field, (text: string) => string>

function canonicalAddress(text: string): string {
  return parseIp(text) ?? text
}

function canonicalPrefix(text: string): string {
  const [address = "", length] = text.split("/")
  const ip = parseIp(address)
  if (ip === undefined) {
    return text
  }
  return length === undefined ? ip : prefixText(`${ip}/${length}`)
}

/** Numbers (nft -n, or a host without /etc/protocols) and names are the same protocol. */
function protocolName(text: string): string {
  return PROTOCOLS.find((protocol) => String(IPPROTO[protocol]) === text) ?? text
}

/** The field that holds an address of that family. */
export function addressField(ip: Ip): "ip4" | "ip6" {
  return family(ip) === 4 ? "ip4" : "ip6"
}
