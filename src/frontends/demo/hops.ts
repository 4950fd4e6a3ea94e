// The way of a packet in the kernel's own names, from what linkspan sees of the containers at its ends.

import type { ContainerView, EndpointView } from "#model/view.ts"

/** One place that a packet passes, and what happens to it there. */
export interface Hop {
  readonly place: string
  readonly what?: string
}

function endpointOf(container: ContainerView): EndpointView {
  const [endpoint] = container.endpoints
  if (endpoint === undefined) {
    throw new RangeError(`Container ${container.name} has no network`)
  }
  return endpoint
}

/** From inside a container up to its port of the bridge. */
function outOf(container: ContainerView): Hop[] {
  const { ifname, hostIfname, actual } = endpointOf(container)
  return [
    { place: `namespace ${container.name}`, what: `net:[${container.netns?.inode}]` },
    { place: ifname, what: `veth, index ${actual?.container?.ifindex}` },
    { place: hostIfname ?? "?", what: `its other end, port ${actual?.host?.port} of the bridge` },
  ]
}

function into(container: ContainerView): Hop[] {
  return outOf(container).toReversed()
}

export function bridgeOf(container: ContainerView): string {
  return endpointOf(container).actual?.host?.master ?? "?"
}

export function acrossBridge(from: ContainerView, to: ContainerView): Hop[] {
  return [...outOf(from), { place: bridgeOf(from), what: "bridge, forwards by MAC address" }, ...into(to)]
}

export function toOutside(from: ContainerView, uplink: string, source: string): Hop[] {
  return [
    ...outOf(from),
    { place: bridgeOf(from), what: "bridge and gateway, into the host's namespace" },
    { place: "table inet linkspan", what: `postrouting: source becomes ${source}` },
    { place: uplink, what: "the host's uplink" },
    { place: "namespace outside" },
  ]
}

export function toPublished(to: ContainerView, uplink: string, published: string, target: string): Hop[] {
  return [
    { place: "namespace outside" },
    { place: uplink, what: "the host's uplink" },
    { place: "table inet linkspan", what: `prerouting: ${published} becomes ${target}` },
    { place: bridgeOf(to), what: "bridge, out of the host's namespace" },
    ...into(to),
  ]
}

export function refusedBetween(from: ContainerView, to: ContainerView): Hop[] {
  return [
    ...outOf(from),
    { place: bridgeOf(from), what: "bridge and gateway, into the host's namespace" },
    { place: "table inet linkspan", what: `forward: from one network into ${bridgeOf(to)}, which is another: refused` },
  ]
}
