// The drivers that put containers directly on a host interface's own network: macvlan and ipvlan. The host's bridge,
// NAT and rules are not involved; the container is a neighbour of the host on the parent's wire.

import type { IpvlanNetwork, MacvlanNetwork } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { planInterface } from "../interface.ts"
import { planForgetSettings } from "../interface-settings.ts"
import type { LinkSpec, Op } from "../op.ts"

export type ParentNetwork = MacvlanNetwork | IpvlanNetwork

/** Makes the VLAN interface that the network stands on, when it is linkspan's to make. */
export function planCreateParent(network: ParentNetwork, exists: boolean): Op[] {
  const { vlan, parent } = network
  if (vlan === undefined || exists) {
    return []
  }
  return [
    { kind: "link.add", link: { kind: "vlan", ifname: parent, link: vlan.link, vlanId: vlan.id } },
    { kind: "link.set", netns: "host", ifname: parent, change: { linkLocal: false, up: true } },
  ]
}

/** @param shared whether another network stands on the same parent. */
export function planRemoveParent(network: ParentNetwork, shared: boolean): Op[] {
  return network.vlan === undefined || shared ? [] : [{ kind: "link.del", netns: "host", ifname: network.parent }]
}

export function planPlugParent(network: ParentNetwork, endpoint: Endpoint): Op[] {
  const { ifname, mac, sandbox } = endpoint
  const mtu = network.mtu === undefined ? {} : { mtu: network.mtu }
  const link: LinkSpec =
    network.driver === "macvlan"
      ? {
          kind: "macvlan",
          ifname,
          netns: sandbox,
          parent: network.parent,
          mac,
          mode: network.mode,
          ...mtu,
          ...(network.broadcastCutoff === undefined ? {} : { broadcastCutoff: network.broadcastCutoff }),
        }
      : { kind: "ipvlan", ifname, netns: sandbox, parent: network.parent, mode: network.mode, ...mtu }
  return [{ kind: "link.add", link }, ...planInterface(network, endpoint, { isGuarded: false })]
}

/** The link lives in the container's namespace only: gone with it, or deleted there. */
export function planUnplugParent(endpoint: Endpoint): Op[] {
  return [...planForgetSettings(endpoint), { kind: "link.del", netns: endpoint.sandbox, ifname: endpoint.ifname }]
}
