// The host's wiring as it is: every namespace that linkspan knows with what the kernel has in it, and what runs between
// them. What pictures are drawn from.

import type { Mac } from "#inet/mac.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { Id, Ifname } from "./name.ts"
import type { ActualLink, ContainerStatus, PublicationView, RouteView } from "./view.ts"

/** "host", or a container's id. */
export type SpaceId = "host" | Id

export interface TopologyLink extends ActualLink {
  /** rtnetlink's name of the kind: "veth", "bridge", …; absent for physical links and loopback. */
  readonly kind?: string
  /** Whether linkspan made it. */
  readonly ours: boolean
  /** Of a bridge's port. */
  readonly port?: { readonly number?: number; readonly state?: string; readonly isolated?: boolean }
  /** Of a bridge: which MAC it has learned, or been told, behind which of its ports. */
  readonly forwarding?: readonly { readonly mac: Mac; readonly port: Ifname }[]
}

export interface Space {
  readonly id: SpaceId
  readonly name: string
  readonly status: ContainerStatus
  readonly links: readonly TopologyLink[]
  readonly routes: readonly RouteView[]
}

export interface LinkPlace {
  readonly space: SpaceId
  readonly ifname: Ifname
}

/** veth: a pair, one link with two ends. macvlan, ipvlan: a link on top of another namespace's. */
export interface Cable {
  readonly kind: "veth" | "macvlan" | "ipvlan"
  /** The end in the host's namespace. */
  readonly near: LinkPlace
  readonly far: LinkPlace
  readonly network: Id
}

export interface TopologyNetwork {
  readonly id: Id
  readonly name: string
  readonly driver: string
  /** The bridge, or the parent; absent where there is none. */
  readonly ifname?: Ifname
  /** How it gets on with the world: "nat", "routed", … */
  readonly mode: string
  readonly internal: boolean
  readonly subnets: readonly Prefix[]
}

/** A published port. */
export interface Gate extends PublicationView {
  readonly container: Id
  readonly network: Id
}

/** Packets that a rule has stopped in the last minute, those alike once; told where `linkspan daemon` listens for them. */
export interface Refusal {
  /** Names: who sent them, or for whom they were that came from elsewhere. */
  readonly container?: string
  readonly network?: string
  /** Of the rule: its chain, and the name of its counter. */
  readonly chain: string
  readonly reason: string
  readonly protocol: string
  readonly to?: string
  readonly port?: number
}

export interface Topology {
  /** Another text whenever what is configured has changed (State). */
  readonly version: string
  readonly host: Space
  readonly containers: readonly Space[]
  readonly networks: readonly TopologyNetwork[]
  /** Each container's in the order in which it got them. */
  readonly cables: readonly Cable[]
  readonly gates: readonly Gate[]
  readonly refusals: readonly Refusal[]
}
