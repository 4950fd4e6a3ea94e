// What linkspan shows: the answers of every listing and inspecting verb, plain data, the same through every door and
// in `-o json`. Configuration comes from the store, everything under `actual` from the kernel in that moment.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Protocol } from "#inet/port.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { Lease } from "./lease.ts"
import type { Id, Ifname } from "./name.ts"
import type { AddressRange, Network } from "./network.ts"
import type { Rates } from "./rate.ts"
import type { Endpoint, Sandbox, SandboxMode } from "./sandbox.ts"

export interface Counters {
  readonly rxBytes: number
  readonly rxPackets: number
  readonly rxDropped: number
  readonly txBytes: number
  readonly txPackets: number
  readonly txDropped: number
}

/** A link as the kernel has it now. */
export interface ActualLink {
  readonly ifname: Ifname
  readonly ifindex: number
  readonly up: boolean
  /** IF_OPER_*: "up", "down", "lowerlayerdown", … */
  readonly operState: string
  readonly mtu: number
  readonly mac: Mac
  readonly master?: Ifname
  readonly addresses: readonly string[]
  readonly counters: Counters
}

export interface RouteView {
  /** "default" or a prefix. */
  readonly destination: string
  readonly via?: Ip
  readonly ifname: string
  readonly metric?: number
}

export interface SubnetView {
  readonly prefix: Prefix
  readonly gateway?: Ip
  readonly range?: AddressRange
  readonly reserved: readonly Ip[]
  /** Addresses that can still be given out automatically; decimal, since IPv6 counts do not fit a number. */
  readonly free: string
  readonly leased: number
}

export interface NetworkSummary {
  readonly id: Id
  readonly name: string
  readonly driver: string
  /** The bridge or parent; absent where the network stands on no link of the host. */
  readonly ifname?: Ifname
  readonly subnets: readonly Prefix[]
  readonly mode: string
  readonly containers: number
}

export interface NetworkView {
  readonly network: Network
  readonly subnets: readonly SubnetView[]
  readonly endpoints: readonly EndpointView[]
  /** The bridge or parent; absent when the kernel has none of that name (see `problems`). */
  readonly actual?: ActualLink
  /** What differs between what should be and what is, a sentence each; `linkspan reconcile` repairs these. */
  readonly problems: readonly string[]
}

export interface EndpointView extends Rates {
  readonly id: Id
  readonly container: string
  readonly containerId: Id
  readonly network: string
  readonly networkId: Id
  readonly ifname: Ifname
  readonly hostIfname?: Ifname
  readonly mac: Mac
  readonly addresses: readonly string[]
  readonly gateways: readonly Ip[]
  /** Where the address comes from, on a network with DHCP. */
  readonly lease?: Lease
  readonly gatewayPriority: number
  readonly aliases: readonly string[]
  readonly publications: readonly PublicationView[]
  readonly actual?: {
    /** The interface inside the container. */
    readonly container?: ActualLink
    /** The bridge port on the host, with the port's number and state. */
    readonly host?: ActualLink & { readonly port?: number; readonly state?: string }
  }
}

/** A cable that another program plugs in. */
export interface CableView {
  /** The name under which its loose end lies in the host's namespace until it is plugged in. */
  readonly looseEnd: Ifname
  readonly endpoint: EndpointView
  readonly network: Network
}

export interface PublicationView {
  readonly protocol: Protocol
  readonly hostIp?: Ip
  readonly hostPort: number
  readonly containerPort: number
  readonly count: number
}

/** running: its process runs, or its namespace exists. exited: the process ended. gone: the namespace is no more. */
export type ContainerStatus = "running" | "exited" | "gone"

export interface ContainerSummary {
  readonly id: Id
  readonly name: string
  readonly status: ContainerStatus
  /** Exit status of the process, 128 + signal when a signal ended it. */
  readonly exitCode?: number
  readonly mode: SandboxMode
  readonly pid?: number
  readonly command?: readonly string[]
  readonly createdAt: string
  readonly networks: readonly { readonly network: string; readonly addresses: readonly string[] }[]
  readonly publications: readonly PublicationView[]
}

export interface ContainerView extends ContainerSummary {
  readonly hostname: string
  readonly labels: Readonly<Record<string, string>>
  readonly netns?: { readonly path: string; readonly inode: number; readonly cookie: string }
  readonly endpoints: readonly EndpointView[]
  readonly routes: readonly RouteView[]
  readonly problems: readonly string[]
}

/** One name that linkspan answers. */
export interface NameRecord {
  readonly name: string
  /** host and link: of one container alone. */
  readonly kind: "container" | "hostname" | "id" | "alias" | "record" | "host" | "link"
  /** Absent: not a network's. */
  readonly network?: string
  /** Whose name it is; of host and link, who knows it. */
  readonly container?: string
  readonly addresses: readonly Ip[]
  /** The container that a link leads to. */
  readonly target?: string
}

/** What a mutating verb did. */
export interface Outcome<T> {
  readonly result: T
  /** The operations as `ip`/`nft` lines, in order; what would have been done when `dryRun`. */
  readonly plan: readonly string[]
  readonly dryRun: boolean
  /** Sentences the user should read: a foreign firewall in the way, a feature that was left out, … */
  readonly warnings: readonly string[]
}

export interface ReconcileReport {
  /** One sentence per thing found wrong, with what was done about it. */
  readonly repairs: readonly string[]
  /** What could not be repaired, with the remedy. */
  readonly problems: readonly string[]
  readonly plan: readonly string[]
  readonly dryRun: boolean
}

/** A foreign packet filter that refuses linkspan's forwarded traffic. */
export interface Obstacle {
  /** What is refused: what the host forwards, or questions about names at gateways. */
  readonly traffic: "forwarded" | "names"
  /** "docker", "ufw", "firewalld", or "custom" for a hand-written ruleset. */
  readonly owner: string
  /** Where it is: 'chain "FORWARD" of table ip filter, policy drop'. */
  readonly where: string
  readonly families: readonly (4 | 6)[]
  /** What the user can type; empty when `linkspan firewall integrate` can do it. */
  readonly remedy: string
  readonly integrable: boolean
}

export interface FirewallStatus {
  /** Whether linkspan's own tables are loaded. */
  readonly loaded: boolean
  readonly obstacles: readonly Obstacle[]
  /** What stands in the way of questions about names at gateways; at 127.0.0.11 they are asked all the same. */
  readonly nameObstacles: readonly Obstacle[]
  /** Hooks that `integrate` filled, as recorded. */
  readonly integrations: readonly { readonly owner: string; readonly where: string; readonly inPlace: boolean }[]
}

/** What a container was taken off. */
export interface TornDown {
  /** Ids of the networks. */
  readonly networks: readonly string[]
}

/** A container that another program made, as it is set up. */
export interface SetUpView {
  readonly id: string
  readonly name: string
  /** All of them, those that were there before first. */
  readonly endpoints: readonly EndpointView[]
  /** Each endpoint's network, in the same order. */
  readonly networks: readonly Network[]
}

/** All that is configured, at one moment: what is being made is not there yet, what is being removed still is. */
export interface State {
  /** Another text whenever anything has changed. */
  readonly version: string
  readonly networks: readonly Network[]
  readonly sandboxes: readonly Sandbox[]
  readonly endpoints: readonly Endpoint[]
}

/** What became of the questions that came in since the process that answers names began. */
export interface NameCounters {
  readonly queries: number
  /** Answered by what linkspan knows itself. */
  readonly local: number
  /** Answered with what a server said before. */
  readonly cached: number
  /** Asked of servers. */
  readonly forwarded: number
  /** Of those, the ones that no server answered. */
  readonly failed: number
  /** Strangers, and what is not asked on behalf of who asked. */
  readonly refused: number
  readonly malformed: number
}

/** The process that answers names, as it says itself. */
export interface NameServing {
  readonly pid: number
  readonly runningS: number
  readonly memoryBytes: number
  /** Asked for containers and networks that name no others. */
  readonly servers: readonly Ip[]
  /** Sockets at 127.0.0.11 in containers, and at gateways. */
  readonly containers: number
  readonly gateways: number
  readonly counters: NameCounters
  /** Answers of servers that are kept. */
  readonly kept: number
  /** Questions on their way to servers now. */
  readonly active: number
}

/** Traffic at one moment. */
export interface Statistics {
  /** On the process's own clock, for rates. */
  readonly atMs: number
  readonly networks: readonly { readonly network: string; readonly driver: string; readonly endpoints: number }[]
  readonly containers: number
  /** Interfaces of containers that are there, as the container counts. */
  readonly endpoints: readonly {
    readonly id: Id
    readonly container: string
    readonly network: string
    readonly ifname: Ifname
    readonly counters: Counters
  }[]
  /** Packets that linkspan's rules refused since they were loaded, by the counter's name. */
  readonly refused: Readonly<Record<string, number>>
}
