// A subnet whose addresses another program asks for one by one (an IPAM plugin's pool). It is nobody's network yet, and
// may become somebody else's; linkspan keeps clear of it until it is released.

import type { Ip } from "#inet/ip.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { Id } from "./name.ts"

export interface ReservedPool {
  readonly id: Id
  readonly prefix: Prefix
  /** Automatic addresses come from here only. */
  readonly range?: Prefix
  /** ISO 8601. */
  readonly createdAt: string
}

export interface PoolLease {
  readonly ip: Ip
  readonly purpose: "gateway" | "container"
  /** Milliseconds since 1970. */
  readonly at: number
}
