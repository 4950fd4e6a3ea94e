// A sandbox: one network namespace that linkspan gives networks to, whoever made it. Users call it a container.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Protocol } from "#inet/port.ts"
import type { Interface } from "#inet/prefix.ts"
import type { ContainerDns, Link } from "./dns.ts"
import type { InterfaceSettings, SettingsBefore } from "./interface-settings.ts"
import type { Lease } from "./lease.ts"
import type { Id, Ifname } from "./name.ts"
import type { Rates } from "./rate.ts"

/**
 * What makes a namespace that one and no other. The kernel never reuses a cookie before a reboot
 * (SO_NETNS_COOKIE, socket(7)), unlike PIDs, paths and inode numbers.
 */
export interface NetnsIdentity {
  /** Decimal, since JSON has no 64-bit integers. */
  readonly cookie: string
  /** /proc/sys/kernel/random/boot_id at the time. */
  readonly bootId: string
}

/** Where the namespace can be opened again. */
export type NetnsPlace =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "pid"; readonly pid: number /** Field 22 of /proc/PID/stat. */; readonly startTime: string }

/**
 * private: its own namespace. host, none and shared (another container's) are the modes of `run --network`.
 * delegated: its own namespace, which another program fills; linkspan lays the cables and never enters it.
 */
export type SandboxMode = "private" | "none" | "host" | "shared" | "delegated"

/** The process that `linkspan run` started. */
export interface SandboxProcess {
  readonly pid: number
  readonly startTime: string
  readonly command: readonly string[]
  readonly rootfs?: string
  readonly detached: boolean
  /** Removed by itself when the process ends. */
  readonly autoRemove: boolean
}

export interface Sandbox {
  readonly id: Id
  readonly name: string
  readonly hostname: string
  readonly createdAt: string
  readonly labels: Readonly<Record<string, string>>
  readonly mode: SandboxMode
  /** The sandbox whose namespace this one uses, for mode "shared". */
  readonly sharedWith?: Id
  readonly netns?: NetnsIdentity
  readonly place?: NetnsPlace
  /** Of a delegated one: the boot that its cables are of. */
  readonly bootId?: string
  /** Set when linkspan made the namespace under this name (/run/netns/NAME) and removes it. */
  readonly ownedNetns?: string
  readonly process?: SandboxProcess
  /** Absent: nothing of its own. */
  readonly dns?: ContainerDns
  /** Whoever made it tells it whom to ask about names: nothing listens at 127.0.0.11. */
  readonly asksElsewhere?: true
}

/** One sandbox's membership of one network: a cable with its addresses. */
export interface Endpoint extends Rates {
  readonly id: Id
  readonly sandbox: Id
  readonly network: Id
  /** Name inside the container. */
  readonly ifname: Ifname
  /** The veth's other end, a bridge port in the host's namespace; absent for macvlan and ipvlan. */
  readonly hostIfname?: Ifname
  /**
   * The container's end as it lies in the host's namespace, for the program that the container is delegated to to plug
   * in under a name of its own; absent where linkspan plugs it in.
   */
  readonly looseEnd?: Ifname
  readonly mac: Mac
  readonly addresses: readonly Interface[]
  /** Of whom the address is borrowed, on a network with DHCP; absent until there is one. */
  readonly lease?: Lease
  /** Gateways for the default routes of this endpoint, at most one a family; empty where the network gives none. */
  readonly gateways: readonly Ip[]
  /** The endpoint with the highest priority gives the container's default route; ties go to the older network name. */
  readonly gatewayPriority: number
  readonly aliases: readonly string[]
  /** Others of the network under names that this container alone knows. Absent: none. */
  readonly links?: readonly Link[]
  readonly publications: readonly Publication[]
  /** Absent: as the kernel makes it. */
  readonly settings?: InterfaceSettings
  readonly settingsBefore?: SettingsBefore
}

/** A contiguous run of host ports led to the same number of container ports. */
export interface Publication {
  readonly protocol: Protocol
  /**
   * Absent: every address of the host, of each family that the endpoint has. "0.0.0.0" and "::": every address of that
   * family alone.
   */
  readonly hostIp?: Ip
  readonly hostPort: number
  readonly containerPort: number
  readonly count: number
}
