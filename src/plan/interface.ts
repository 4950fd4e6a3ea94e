// A container's end of its connection, once it is there: whatever kind of link it is.

import type { Ifname } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { usesIpv6 } from "./host.ts"
import { planSettings } from "./interface-settings.ts"
import type { Op } from "./op.ts"
import { planRates } from "./rates.ts"

/** @param isGuarded whether linkspan's rules keep router advertisements away from it. */
export function planInterface(network: Network, endpoint: Endpoint, { isGuarded }: { isGuarded: boolean }): Op[] {
  const { sandbox: netns, ifname } = endpoint
  const hasIpv6 = usesIpv6(network)
  return [
    // Nobody on the wire gives it addresses and routes of a family that its network does not have.
    ...(hasIpv6 || isGuarded
      ? []
      : [{ kind: "sysctl.set", netns, key: `ipv6/conf/${ifname}/accept_ra`, value: "0" } satisfies Op]),
    { kind: "link.set", netns, ifname: "lo" as Ifname, change: { up: true } },
    { kind: "link.set", netns, ifname, change: { ...(hasIpv6 ? {} : { linkLocal: false }), up: true } },
    ...endpoint.addresses.map((address): Op => ({ kind: "addr.add", netns, ifname, address })),
    ...planRates(endpoint),
    ...planSettings(endpoint),
  ]
}
