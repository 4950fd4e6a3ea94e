// What a DHCP server has lent to an endpoint.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Interface, Prefix } from "#inet/prefix.ts"

export interface Lease {
  readonly address: Interface
  readonly server: Ip
  /** Who brought it on the link: the server, or the relay before it. Absent when that is not known. */
  readonly serverMac?: Mac
  /** The default route's. */
  readonly gateway?: Ip
  readonly routes: readonly { readonly destination: Prefix; readonly via?: Ip }[]
  readonly dnsServers: readonly Ip[]
  readonly domain?: string
  /** ISO 8601: when it was asked for, from which its times count. */
  readonly obtainedAt: string
  /** Absent: for ever. */
  readonly times?: LeaseTimes
}

/** Counted from the beginning of the lease; RFC 2131 §4.4.5. */
export interface LeaseTimes {
  /** From when on the server is asked for more time. */
  readonly renewSeconds: number
  /** From when on any server is. */
  readonly rebindSeconds: number
  /** When the address is not the container's any more. */
  readonly seconds: number
}
