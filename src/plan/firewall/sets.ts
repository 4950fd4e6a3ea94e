// Every set and map of linkspan's two tables: what identifies an element, what it maps to, what it is for. The rules
// never change; all that changes on a host is what is in these. docs/firewall.md shows this table.

import { type Field, NFT_TYPE } from "./fields.ts"

export interface SetSpec {
  /** The fields of the key, in order. */
  readonly key: readonly Field[]
  /** The fields of the value, for maps. */
  readonly value?: readonly Field[]
  /** Keys may be prefixes. */
  readonly interval?: true
  /** The expressions to declare the set by, where a field has no name of its own for nft(8)'s `type`. */
  readonly typeof?: string
  readonly purpose: string
}

const inet = {
  bridges: { key: ["ifname"], purpose: "linkspan's bridges" },
  same_network: {
    key: ["ifname", "ifname"],
    purpose: "bridge . the same bridge, where containers of one network may talk to each other",
  },
  leaving: { key: ["ifname"], value: ["verdict"], purpose: "what happens to a new flow that comes from a bridge" },
  entering: {
    key: ["ifname"],
    value: ["verdict"],
    purpose: "what lets a new flow into a bridge; networks that let nothing in are not here",
  },
  open: { key: ["ifname"], purpose: "bridges whose containers meet those of other networks that allow it" },
  open_or_guarded: { key: ["ifname"], purpose: "those, and bridges whose containers meet only the former" },
  confined: { key: ["ifname"], purpose: "bridges whose containers have no use of published ports" },
  reaching: { key: ["ifname"], value: ["verdict"], purpose: "bridges whose containers may not reach all of the host" },
  published4: {
    key: ["protocol", "port"],
    value: ["ip4", "port"],
    purpose: "ports published on every IPv4 address of the host",
  },
  published4_at: {
    key: ["ip4", "protocol", "port"],
    value: ["ip4", "port"],
    purpose: "ports published on one IPv4 address of the host",
  },
  published6: {
    key: ["protocol", "port"],
    value: ["ip6", "port"],
    purpose: "ports published on every IPv6 address of the host",
  },
  published6_at: {
    key: ["ip6", "protocol", "port"],
    value: ["ip6", "port"],
    purpose: "ports published on one IPv6 address of the host",
  },
  opened4: { key: ["ip4", "protocol", "port"], purpose: "published ports of containers in routed networks" },
  opened6: { key: ["ip6", "protocol", "port"], purpose: "published ports of containers in routed networks" },
  hairpin4: {
    key: ["prefix4", "ifname"],
    interval: true,
    purpose: "subnet . its bridge: a published port used from the network that it leads to",
  },
  hairpin6: {
    key: ["prefix6", "ifname"],
    interval: true,
    purpose: "subnet . its bridge: a published port used from the network that it leads to",
  },
  masquerade4: {
    key: ["prefix4"],
    interval: true,
    purpose: "subnets whose addresses mean nothing outside of this host",
  },
  masquerade6: {
    key: ["prefix6"],
    interval: true,
    purpose: "subnets whose addresses mean nothing outside of this host",
  },
  outbound4: {
    key: ["prefix4"],
    value: ["ip4"],
    interval: true,
    purpose: "the same with an address of the host's that was chosen for it",
  },
  outbound6: {
    key: ["prefix6"],
    value: ["ip6"],
    interval: true,
    purpose: "the same with an address of the host's that was chosen for it",
  },
  lent: { key: ["ifname"], purpose: "interfaces of others that lead to containers with published ports" },
  guests4: { key: ["ip4", "ifname"], purpose: "IPv4 address . interface: containers that others connected" },
  guests6: { key: ["ip6", "ifname"], purpose: "IPv6 address . interface: containers that others connected" },
} as const satisfies Record<string, SetSpec>

const bridge = {
  macs: { key: ["ifname", "mac"], purpose: "port . the MAC address behind it" },
  sources4: { key: ["ifname", "mac", "ip4"], purpose: "port . MAC . IPv4 address that may send from there" },
  sources6: { key: ["ifname", "mac", "ip6"], purpose: "port . MAC . IPv6 address that may send from there" },
  advertised6: {
    key: ["ifname", "mac", "number128"],
    // nft 1.0.6 has no name for a neighbour advertisement's target address; it lies 8 bytes into the ICMPv6 message
    // (RFC 4861 §4.4). A raw expression is an integer to nft, hence the addresses in hexadecimal.
    typeof: "iifname . ether saddr . @th,64,128",
    purpose: "port . MAC . IPv6 address that may be claimed in neighbour advertisements",
  },
  detached: { key: ["ifname"], purpose: "ports of networks that the host has no part in (isolated gateway mode)" },
  isolated4: {
    key: ["prefix4"],
    interval: true,
    purpose: "the subnets of those networks: all that ARP may ask for there",
  },
} as const satisfies Record<string, SetSpec>

export const SETS = { inet, bridge } as const

export type Table = keyof typeof SETS
export type SetName<T extends Table> = keyof (typeof SETS)[T] & string

/** `undefined` for a set that linkspan does not make. */
export function setSpec(table: Table, set: string): SetSpec | undefined {
  const sets: Readonly<Record<string, SetSpec>> = SETS[table]
  return Object.hasOwn(sets, set) ? sets[set] : undefined
}

/** One declaration, as `nft list` prints it. */
export function declareSet(name: string, spec: SetSpec): string {
  const fields = (list: readonly Field[]): string => list.map((field) => NFT_TYPE[field]).join(" . ")
  const lines = [
    `\t${spec.value === undefined ? "set" : "map"} ${name} {`,
    `\t\t${spec.typeof === undefined ? "type" : "typeof"} ${spec.typeof ?? fields(spec.key)}${spec.value === undefined ? "" : ` : ${fields(spec.value)}`}`,
    ...(spec.interval === true ? ["\t\tflags interval"] : []),
    "\t}",
  ]
  return `${lines.join("\n")}\n`
}

/** All declarations of one table. */
export function declareSets(table: Table): string {
  return Object.entries(SETS[table])
    .map(([name, spec]: [string, SetSpec]) => declareSet(name, spec))
    .join("\n")
}
