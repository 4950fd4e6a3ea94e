// Who is called what, and who may know: everything that the resolver answers from, as one plain value, and what is
// different from one moment to the next. The engine makes both from the store; `dns/` only reads them.

import type { Ip } from "#inet/ip.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { Id } from "./name.ts"

/** A name that the user gave fixed addresses; "*.apps" stands for every name below it. */
export interface StaticRecord {
  readonly name: string
  readonly addresses: readonly Ip[]
}

/** A container's presence on one network. */
export interface DirectoryEndpoint {
  readonly containerId: Id
  readonly addresses: readonly Ip[]
  /** Besides the container's own name, host name and short id. */
  readonly aliases: readonly string[]
  /** What its addresses are called; NAME.NETWORK when absent. */
  readonly pointer?: string
  /** Others of the network, for this container alone. Absent: none. */
  readonly links?: readonly { readonly alias: string; readonly containerId: Id }[]
}

/** A network without its members. */
export interface DirectoryNetworkFacts {
  readonly id: Id
  readonly name: string
  readonly subnets: readonly Prefix[]
  /** Nothing is asked of the outside on behalf of its members. */
  readonly internal: boolean
  /** Asked instead of the host's; empty when the network has none of its own. */
  readonly servers: readonly Ip[]
  /** False: nothing that servers say is kept for its members. */
  readonly cache?: false
  readonly records: readonly StaticRecord[]
}

export interface DirectoryNetwork extends DirectoryNetworkFacts {
  readonly endpoints: readonly DirectoryEndpoint[]
}

export interface DirectoryContainer {
  readonly id: Id
  readonly name: string
  readonly hostname?: string
  /** Asked instead of its networks'; empty when it has none of its own. */
  readonly servers: readonly Ip[]
  readonly search: readonly string[]
  /** Seen by this container alone: --add-host, and links to others under a private name. */
  readonly records: readonly StaticRecord[]
  readonly links: readonly { readonly alias: string; readonly containerId: Id }[]
}

export interface Directory {
  readonly networks: readonly DirectoryNetwork[]
  readonly containers: readonly DirectoryContainer[]
  /** The host's own upstream servers, loopback ones included. */
  readonly hostServers: readonly Ip[]
}

/** One object as it is now; without `now` it is gone. A network that is gone has no members any more. */
export type DirectoryChange =
  | { readonly kind: "network"; readonly id: Id; readonly now?: DirectoryNetworkFacts | undefined }
  | { readonly kind: "container"; readonly id: Id; readonly now?: DirectoryContainer | undefined }
  | {
      readonly kind: "member"
      readonly networkId: Id
      readonly containerId: Id
      readonly now?: DirectoryEndpoint | undefined
    }
  | { readonly kind: "host-servers"; readonly now: readonly Ip[] }
