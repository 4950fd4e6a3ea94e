// What the kernel says of the places that a packet may pass, asked for as the packet gets there.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Protocol } from "#inet/port.ts"
import type { ObservedAddress, ObservedLink, ObservedNeighbour } from "#model/observed.ts"

export interface RouteQuery {
  readonly to: Ip
  /** With the link that the packet comes in by: the kernel then checks it as it would such a packet. */
  readonly from?: Ip
  readonly iif?: number
}

export type RouteAnswer =
  | { readonly kind: "local" | "unicast"; readonly oif: number; readonly via?: Ip; readonly source?: Ip }
  | { readonly kind: "refused"; readonly errno: number }

export interface ListenerFact {
  readonly ip: Ip
  readonly port: number
  readonly owner?: string
}

/** One network namespace. */
export interface NodeFacts {
  /** "host", or the container's id. */
  readonly id: string
  /** As the user calls it. */
  readonly label: string
  /** Path of the namespace, for what to type. */
  readonly path?: string
  readonly inode: number
  readonly links: readonly ObservedLink[]
  readonly addresses: readonly ObservedAddress[]
  readonly neighbours: readonly ObservedNeighbour[]
  /** `key` is below net/. */
  sysctl(key: string): string | undefined
  route(query: RouteQuery): RouteAnswer
  listeners(protocol: Protocol, port: number): readonly ListenerFact[]
}

/** A container's cable, as linkspan remembers it. */
export interface CableFact {
  readonly node: string
  readonly label: string
  readonly network: string
  readonly ifname: string
  readonly hostIfname: string
  readonly bridge: string
  /** Whether the network's containers may talk to each other. */
  readonly icc: boolean
}

export interface PublicationFact {
  /** Absent: every address of the host. */
  readonly at?: Ip
  readonly to: Ip
  readonly port: number
}

/** What linkspan's own sets hold. */
export interface OwnRules {
  /** Of one protocol, port and family. */
  published(protocol: Protocol, port: number, family: 4 | 6): readonly PublicationFact[]
  /** Whether a set has a key, its fields in order. */
  has(table: "inet" | "bridge", set: string, key: readonly string[]): boolean
  /** The address that stands for this one in the world, where one was chosen. */
  outbound(source: Ip): Ip | undefined
  /** The chain that a verdict map sends a key to, or its verdict. */
  verdict(map: string, key: string): string | undefined
}

export interface ForeignRefusal {
  /** 'chain "FORWARD" of table ip filter, policy drop' */
  readonly where: string
  readonly comment?: string
  readonly remedy: string
}

export interface Crossing {
  readonly iif: string
  readonly oif: string
  readonly published: boolean
  readonly family: 4 | 6
}

export interface World {
  readonly host: NodeFacts
  /** undefined: its namespace is gone. */
  node(id: string): NodeFacts | undefined
  readonly cables: readonly CableFact[]
  /** Index of the port behind which the bridge has learned a MAC. */
  learned(bridge: number, mac: Mac): number | undefined
  /** undefined: linkspan's tables are not loaded. */
  readonly rules: OwnRules | undefined
  /** What refuses a packet that the host forwards and that is not linkspan's. */
  foreignRefusal(crossing: Crossing): ForeignRefusal | undefined
  /** The link group of linkspan's links. */
  readonly group: number
}
