// How much went over every cable, and how much was refused, at one moment: one dump of the host's links, and a look into
// the namespaces of those containers that have no cable there.

import { getLink, listLinks } from "#kernel/links.ts"
import { refusalCounters } from "#kernel/refusal-counters.ts"
import type { ObservedLink } from "#model/observed.ts"
import type { Endpoint } from "#model/sandbox.ts"
import type { Counters, Statistics } from "#model/view.ts"
import type { Host } from "./host.ts"
import { readState } from "./state.ts"

export function statistics(host: Host): Statistics {
  const state = readState(host)
  const names = new Map([...state.networks, ...state.sandboxes].map(({ id, name }) => [id, name]))
  const links = new Map(listLinks(host.namespace.rtnl, { counters: true }).map((link) => [link.ifname, link]))
  return {
    atMs: performance.now(),
    networks: state.networks.map(({ id, name, driver }) => ({
      network: name,
      driver,
      endpoints: state.endpoints.filter(({ network }) => network === id).length,
    })),
    containers: state.sandboxes.length,
    endpoints: state.endpoints.flatMap((endpoint) => {
      const counters = countersOf(host, endpoint, links)
      return counters === undefined
        ? []
        : [
            {
              id: endpoint.id,
              container: names.get(endpoint.sandbox) ?? endpoint.sandbox,
              network: names.get(endpoint.network) ?? endpoint.network,
              ifname: endpoint.ifname,
              counters,
            },
          ]
    }),
    refused: Object.fromEntries(refusalCounters(host.namespace.netfilter)),
  }
}

/** As the container counts. */
function countersOf(
  host: Host,
  { sandbox, ifname, hostIfname }: Endpoint,
  links: ReadonlyMap<string, ObservedLink>,
): Counters | undefined {
  if (hostIfname === undefined) {
    const namespace = host.resolve(sandbox)
    return namespace === undefined ? undefined : getLink(namespace.rtnl, ifname)?.counters
  }
  const counters = links.get(hostIfname)?.counters
  // What the host's end sends, the container receives.
  return counters === undefined
    ? undefined
    : {
        rxBytes: counters.txBytes,
        rxPackets: counters.txPackets,
        rxDropped: counters.txDropped,
        txBytes: counters.rxBytes,
        txPackets: counters.rxPackets,
        txDropped: counters.rxDropped,
      }
}
