// What the kernel says of one network namespace: what planning, explaining and showing start from.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { Ifname } from "./name.ts"
import type { ActualLink } from "./view.ts"

export interface ObservedLink {
  readonly ifname: Ifname
  readonly index: number
  readonly up: boolean
  readonly promisc: boolean
  readonly allmulti: boolean
  readonly operState: string
  readonly mtu: number
  readonly txQueueLength: number
  readonly mac: Mac
  /** IFLA_INFO_KIND; absent for physical links and loopback. */
  readonly kind?: string
  readonly group: number
  /** Ifindex of the bridge that the link is a port of. */
  readonly master?: number
  /** Lower link of macvlan, ipvlan, vlan; a veth's other end. */
  readonly link?: number
  readonly vlanId?: number
  /** Of a bridge: whether it tells VLANs apart. */
  readonly vlanFiltering?: boolean
  /** Of a VRF: the table with its routes. */
  readonly vrfTable?: number
  readonly port?: {
    readonly number?: number
    readonly state?: string
    readonly isolated?: boolean
    readonly hairpin?: boolean
  }
  readonly counters?: ActualLink["counters"]
}

export interface ObservedAddress {
  readonly index: number
  readonly ip: Ip
  readonly length: number
}

export interface ObservedNeighbour {
  readonly index: number
  readonly ip: Ip
  readonly mac?: Mac
  /** NUD_* */
  readonly state: number
}

export interface ObservedRoute {
  readonly table: number
  readonly type: number
  readonly protocol: number
  /** The whole address space for a default route. */
  readonly destination: Prefix
  readonly isDefault: boolean
  readonly via?: Ip
  readonly index?: number
  readonly metric?: number
}
