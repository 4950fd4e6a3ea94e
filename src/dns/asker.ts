// Who asks: what a resolver goes by is the socket that the question came in on and the address that it came from, never
// anything in the packet.

import type { Id } from "#model/name.ts"

export type Asker =
  /** Over a socket inside the container's own namespace. */
  | { readonly kind: "container"; readonly id: Id }
  /** Over a socket at the network's gateway address, from this address. */
  | { readonly kind: "address"; readonly networkId: Id; readonly ip: string }
