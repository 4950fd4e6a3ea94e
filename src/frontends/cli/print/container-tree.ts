// `linkspan inspect`: a container's way out, link by link, with the kernel's own names:
// namespace, interface, veth, bridge port, bridge, gateway.

import { rateText } from "#model/rate.ts"
import type { ContainerView, EndpointView, RouteView } from "#model/view.ts"
import { labelNodes } from "./labels.ts"
import { countersText, linkState } from "./link.ts"
import { type Look, paint, plain } from "./look.ts"
import { problemNodes } from "./problems.ts"
import { publicationText } from "./publication.ts"
import { statusColour, statusText } from "./status.ts"
import { type Node, tree } from "./tree.ts"

export function containerTree(view: ContainerView, look: Look): string {
  const process = view.pid === undefined ? [] : [`pid ${view.pid}`]
  return tree({
    text: [
      `container ${paint(look, "bold", view.name)}`,
      paint(look, "dim", view.id),
      paint(look, statusColour(view), statusText(view)),
      ...process,
    ].join("  "),
    children: [
      ...(view.command === undefined ? [] : [{ text: `command ${plain(view.command.join(" "))}` }]),
      ...(view.hostname === view.name ? [] : [{ text: `host name ${view.hostname}` }]),
      ...labelNodes(view.labels),
      namespaceNode(view, look),
      ...problemNodes(view.problems, look),
    ],
  })
}

function namespaceNode(view: ContainerView, look: Look): Node {
  const { netns, mode } = view
  const place =
    netns === undefined
      ? `  ${paint(look, "dim", "gone")}`
      : ` ${paint(look, "cyan", plain(netns.path))}  inode ${netns.inode}`
  const endpoints = view.endpoints.map((endpoint) => interfaceNode(endpoint, view.routes, look))
  const covered = new Set(view.endpoints.map((endpoint) => endpoint.ifname as string))
  const routes = view.routes
    .filter((route) => !covered.has(route.ifname))
    .map((route) => ({ text: `${routeText(route)} by ${route.ifname}` }))
  return { text: `namespace${place}${mode === "private" ? "" : `  (${mode})`}`, children: [...endpoints, ...routes] }
}

function interfaceNode(endpoint: EndpointView, routes: readonly RouteView[], look: Look): Node {
  const actual = endpoint.actual?.container
  const facts = [
    linkState(actual, look),
    actual?.mac ?? endpoint.mac,
    ...endpoint.addresses,
    ...(actual === undefined ? [] : [`mtu ${actual.mtu}`]),
  ]
  return {
    text: [paint(look, "cyan", endpoint.ifname), ...facts].join("  "),
    children: [
      ...routes.filter((route) => route.ifname === endpoint.ifname).map((route) => ({ text: routeText(route) })),
      ...(actual === undefined ? [] : [{ text: countersText(actual.counters, look) }]),
      ...(endpoint.aliases.length === 0 ? [] : [{ text: `also called ${endpoint.aliases.join(", ")}` }]),
      ...rateNodes(endpoint),
      cableNode(endpoint, look),
    ],
  }
}

function rateNodes({ rateIn, rateOut }: EndpointView): Node[] {
  return [
    ...(rateIn === undefined ? [] : [{ text: `receives at most ${rateText(rateIn)}` }]),
    ...(rateOut === undefined ? [] : [{ text: `sends at most ${rateText(rateOut)}` }]),
  ]
}

function routeText({ destination, via, metric }: RouteView): string {
  return `route ${destination}${via === undefined ? "" : ` via ${via}`}${metric === undefined ? "" : ` metric ${metric}`}`
}

/** From the interface outwards: each link is the child of the one before it. */
function cableNode(endpoint: EndpointView, look: Look): Node {
  const { hostIfname, actual } = endpoint
  if (hostIfname === undefined) {
    return networkNode(endpoint, look)
  }
  const host = actual?.host
  const port = host?.port === undefined ? "port" : `port ${host.port}`
  const bridge =
    host?.master === undefined ? paint(look, "red", "no bridge") : `bridge ${paint(look, "cyan", host.master)}`
  const state =
    host?.state === undefined ? "" : `  ${paint(look, host.state === "forwarding" ? "green" : "yellow", host.state)}`
  return {
    text: `veth ${paint(look, "cyan", hostIfname)}  ${linkState(host, look)}${host === undefined ? "" : `  ifindex ${host.ifindex}`}`,
    children: [{ text: `${port} of ${bridge}${state}`, children: [networkNode(endpoint, look)] }],
  }
}

function networkNode(endpoint: EndpointView, look: Look): Node {
  const gateways = endpoint.gateways.length === 0 ? "no gateway" : `gateway ${endpoint.gateways.join(" ")}`
  return {
    text: `network ${paint(look, "bold", endpoint.network)}  ${gateways}${endpoint.gatewayPriority === 0 ? "" : `  priority ${endpoint.gatewayPriority}`}`,
    children: endpoint.publications.map((publication) => ({ text: `published ${publicationText(publication)}` })),
  }
}
