// What users say about names: on a network, for all of its members, and for one container alone.

import type { Ip } from "#inet/ip.ts"
import type { StaticRecord } from "./directory.ts"
import type { Id } from "./name.ts"

export const NAME_SERVER_PORT = 53

export interface NetworkDns {
  /** False: linkspan answers no names on the network, and leaves port 53 alone. */
  readonly enabled: boolean
  /** Asked instead of the host's; empty when the network has none of its own. */
  readonly servers: readonly Ip[]
  readonly records: readonly StaticRecord[]
  /** Another program answers at the gateways; linkspan's own containers on the network know its names all the same. */
  readonly elsewhere?: true
  /** Where that program answers: what is asked at port 53 is led there. Absent: at port 53 itself. */
  readonly port?: number
  /** False: what servers say is kept for none of its containers; each question is asked of them anew. */
  readonly cache?: false
}

/** What networks have that say nothing of it, those made before linkspan knew names among them. */
const DEFAULT_NETWORK_DNS: NetworkDns = { enabled: true, servers: [], records: [] }

export function dnsOf({ dns }: { readonly dns?: NetworkDns }): NetworkDns {
  return dns ?? DEFAULT_NETWORK_DNS
}

/** Another container under a name that only this one knows. */
export interface Link {
  readonly alias: string
  readonly containerId: Id
}

export interface ContainerDns {
  /** Asked instead of its networks'; empty when it has none of its own. */
  readonly servers: readonly Ip[]
  readonly search: readonly string[]
  /** Lines of "options" for its resolv.conf(5). */
  readonly options: readonly string[]
  /** --add-host. */
  readonly records: readonly StaticRecord[]
  readonly links: readonly Link[]
  /** It has a name server of its own: nothing listens at 127.0.0.11, and it asks at its gateways. */
  readonly resolver?: false
}
