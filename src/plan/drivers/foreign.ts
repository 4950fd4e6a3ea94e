// The driver for interfaces that another program makes: no link is made or removed here. The host's way to them is told
// to carry published ports, for 127.0.0.1 too, and the rules keep what else that would let in out.

import type { Ifname } from "#model/name.ts"
import { type ForeignNetwork, isPool } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { flowsToForget } from "../firewall/conntrack.ts"
import { elementDifference } from "../firewall/difference.ts"
import { foreignElements, foreignNetworkElements } from "../firewall/foreign-elements.ts"
import { planForgetSettings, planSettings } from "../interface-settings.ts"
import type { Op } from "../op.ts"
import { planForgetRates, planRates } from "../rates.ts"

function routeLocalnet(ifname: Ifname): string {
  return `ipv4/conf/${ifname}/route_localnet`
}

/** @param before the bridge's route_localnet as it is. */
export function planCreateForeign(network: ForeignNetwork, before: string | undefined): Op[] {
  const { bridge } = network
  if (bridge === undefined) {
    return []
  }
  const add = foreignNetworkElements(network)
  return [
    { kind: "nft.run", add, del: [] },
    ...(before === undefined || before === "1"
      ? []
      : [{ kind: "sysctl.set", netns: "host", key: routeLocalnet(bridge), value: "1", previous: before } satisfies Op]),
  ]
}

/**
 * @param created what was done to the bridge.
 * @param shared whether another network is on the same bridge, and needs that still.
 */
export function planRemoveForeign(network: ForeignNetwork, created: readonly Op[], shared: boolean): Op[] {
  if (isPool(network)) {
    return []
  }
  const del = shared ? [] : foreignNetworkElements(network)
  return [
    ...(shared ? [] : created).flatMap((op): Op[] =>
      op.kind === "sysctl.set" && op.previous !== undefined ? [{ ...op, value: op.previous, previous: op.value }] : [],
    ),
    ...(del.length === 0 ? [] : [{ kind: "nft.run", add: [], del } satisfies Op]),
    { kind: "host.release" },
  ]
}

export function planPlugForeign(network: ForeignNetwork, endpoint: Endpoint): Op[] {
  return isPool(network)
    ? []
    : [...localnet(network, endpoint, "1", "0"), ...planRates(endpoint), ...planSettings(endpoint)]
}

export function planUnplugForeign(network: ForeignNetwork, endpoint: Endpoint): Op[] {
  if (isPool(network)) {
    return []
  }
  return [
    ...localnet(network, endpoint, "0", "1"),
    ...planForgetRates(endpoint),
    ...planForgetSettings(endpoint),
    ...endpoint.addresses.map(({ ip }): Op => ({ kind: "conntrack.del", flow: { ip } })),
  ]
}

/** Of an interface with a way of its own; a bridge's is the network's. */
function localnet(network: ForeignNetwork, { hostIfname }: Endpoint, value: string, previous: string): Op[] {
  return isPool(network) || network.bridge !== undefined || hostIfname === undefined
    ? []
    : [{ kind: "sysctl.set", netns: "host", key: routeLocalnet(hostIfname), value, previous }]
}

export function planRepublishForeign(network: ForeignNetwork, before: Endpoint, after: Endpoint): Op[] {
  const { del } = elementDifference(foreignElements(network, before), foreignElements(network, after))
  return flowsToForget(del).map((flow): Op => ({ kind: "conntrack.del", flow }))
}
