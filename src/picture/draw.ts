// The drawing itself, as elements of whatever makes elements: text for a file, a page's components for a browser.

import type { Gate, Refusal, TopologyLink } from "#model/topology.ts"
import type { Box, PlacedCable, PlacedContainer, PlacedLink, PlacedNetwork, Placement, Point } from "./layout.ts"
import { cableId } from "./wiring.ts"

export type Attributes = Readonly<Record<string, string | number>>
/** As a page's library has it: tag, attributes, what is inside. */
export type Make<E> = (tag: string, attributes: Attributes, ...children: readonly (E | string)[]) => E

/** An SVG element with everything in it. Elements that stand for something say so in data-kind and data-id. */
export function draw<E>(make: Make<E>, placement: Placement, style?: E): E {
  const { width, height, host, links, networks, containers, cables } = placement
  return make(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": summary(placement),
      class: "linkspan",
    },
    ...(style === undefined ? [] : [style]),
    make(
      "g",
      { "data-kind": "host", "data-id": "host" },
      rectangle(make, host, "host"),
      make("text", { class: "name", x: host.x + 12, y: host.y + host.height - 12 }, "host"),
    ),
    ...cables.map((cable) => drawCable(make, cable)),
    ...links.map((link) => drawHostLink(make, link)),
    ...networks.map((network) => drawNetwork(make, network, cables)),
    ...containers.map((container) => drawContainer(make, container)),
    // Over the boxes, whose edges they sit on.
    ...cables.map((cable) => drawEnds(make, cable)),
  )
}

function summary({ networks, containers }: Placement): string {
  const many = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`
  return `A host with ${many(networks.length, "network")} and ${many(containers.length, "container")}`
}

function rectangle<E>(make: Make<E>, { x, y, width, height }: Box, kind: string): E {
  return make("rect", { class: kind, x, y, width, height, rx: 8 })
}

function line<E>(make: Make<E>, at: Point, kind: string, text: string, room: number): E {
  return make("text", { class: kind, x: at.x, y: at.y }, clip(text, room))
}

/** The names at the ends are written smaller than the rest. */
const SMALLER = 1.2

/** A character of the drawing's 11 px type, at its widest. */
const CHARACTER = 6.7

/** Text is not measured here; what might not fit ends with three dots, and is whole in the title. */
function clip(text: string, room: number): string {
  const most = Math.floor(room / CHARACTER)
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1))}…`
}

function drawHostLink<E>(make: Make<E>, { link, box }: PlacedLink): E {
  return make(
    "g",
    { "data-kind": "link", "data-id": `host/${link.ifname}`, class: stateOf(link) },
    make("title", {}, describe(link)),
    rectangle(make, box, "interface"),
    line(make, { x: box.x + 10, y: box.y + 16 }, "name", link.ifname, box.width - 20),
    line(make, { x: box.x + 10, y: box.y + 31 }, "detail", link.addresses[0] ?? link.operState, box.width - 20),
  )
}

function drawNetwork<E>(
  make: Make<E>,
  { network, box, link, gates, refusals }: PlacedNetwork,
  cables: readonly PlacedCable[],
): E {
  const ports = cables.filter(({ cable }) => cable.network === network.id).length
  const facts = [
    network.ifname ?? network.driver,
    ...(link === undefined
      ? network.ifname === undefined
        ? []
        : ["missing in the kernel"]
      : link.addresses.filter((each) => !each.startsWith("fe80:"))),
    network.internal ? "internal" : network.mode,
    `${ports} port${ports === 1 ? "" : "s"}`,
  ]
  return make(
    "g",
    { "data-kind": "network", "data-id": network.id, class: networkState({ network, link }) },
    make(
      "title",
      {},
      [network.name, ...(link === undefined ? [] : [describe(link)]), ...gates.map(gateText)].join("\n"),
    ),
    rectangle(make, box, "bridge"),
    line(make, { x: box.x + 14, y: box.y + 18 }, "name", network.name, box.width / 2),
    line(make, { x: box.x + 14, y: box.y + 34 }, "detail", facts.join("  ·  "), box.width - 28),
    ...drawGates(make, box, gates),
    ...drawStub(make, { x: box.x + 14, y: box.y + box.height }, refusals),
  )
}

function networkState({
  network,
  link,
}: Pick<PlacedNetwork, "network"> & { readonly link: TopologyLink | undefined }): string {
  if (link !== undefined) {
    return stateOf(link)
  }
  return network.ifname === undefined ? "up" : "missing"
}

const GATE_WIDTH = 132
const MOST_GATES = 3

/** Published ports as labels on the bridge's upper edge, where what comes from outside enters. */
function drawGates<E>(make: Make<E>, box: Box, gates: readonly Gate[]): E[] {
  const shown = gates.length > MOST_GATES ? gates.slice(0, MOST_GATES - 1) : gates
  const labels = [
    ...shown.map((gate) => gateText(gate)),
    ...(shown.length < gates.length ? [`and ${gates.length - shown.length} more`] : []),
  ]
  return labels.map((text, index) => {
    const at = { x: box.x + box.width - (labels.length - index) * (GATE_WIDTH + 8), y: box.y - 11 }
    return make(
      "g",
      { "data-kind": "gate" },
      rectangle(make, { ...at, width: GATE_WIDTH, height: 22 }, "gate"),
      line(make, { x: at.x + 8, y: at.y + 15 }, "detail", text, GATE_WIDTH - 16),
    )
  })
}

function gateText({ protocol, hostIp, hostPort, containerPort, count }: Gate): string {
  const range = (first: number): string => (count === 1 ? String(first) : `${first}-${first + count - 1}`)
  const address = hostIp === undefined ? "" : `${hostIp.includes(":") ? `[${hostIp}]` : hostIp}:`
  return `${address}${range(hostPort)} → ${range(containerPort)}/${protocol}`
}

const STUB = 10

/** What was stopped, as a cable that leads nowhere: it ends at the name of the rule. */
function drawStub<E>(make: Make<E>, from: Point, refusals: readonly Refusal[]): E[] {
  const [newest] = refusals.slice(-1)
  if (newest === undefined) {
    return []
  }
  const others = refusals.length - 1
  const more = others === 0 ? "" : `, ${others} more`
  const text = `${newest.chain} ✘ ${newest.protocol}${targetText(newest)}${more}`
  const end = { x: from.x, y: from.y + STUB }
  return [
    make(
      "g",
      { "data-kind": "refusal", class: "stopped" },
      make("title", {}, refusals.map(refusalText).join("\n")),
      make("path", { class: "stub", d: `M${from.x} ${from.y}L${end.x} ${end.y}M${end.x - 4} ${end.y}h8` }),
      line(make, { x: end.x + 8, y: end.y + 3 }, "end", text, STUB_TEXT),
    ),
  ]
}

/** About as wide as a container. */
const STUB_TEXT = 168 * SMALLER

function refusalText(refusal: Refusal): string {
  return `${refusal.protocol}${targetText(refusal)} stopped in chain ${refusal.chain} (${refusal.reason})`
}

function targetText({ to, port }: Refusal): string {
  const address = to?.includes(":") === true ? `[${to}]` : to
  return to === undefined ? "" : ` to ${address}${port === undefined ? "" : `:${port}`}`
}

function drawContainer<E>(make: Make<E>, { space, box, refusals }: PlacedContainer): E {
  const links = space.links.filter(({ ifname }) => ifname !== "lo")
  const addresses = links.flatMap((link) =>
    link.addresses.filter((each) => !each.startsWith("fe80:")).map((address) => `${link.ifname} ${address}`),
  )
  return make(
    "g",
    { "data-kind": "container", "data-id": space.id, class: space.status, tabindex: 0 },
    make("title", {}, [`${space.name} (${space.id}), ${space.status}`, ...space.links.map(describe)].join("\n")),
    rectangle(make, box, "container"),
    line(make, { x: box.x + 12, y: box.y + 30 }, "name", space.name, box.width - 24),
    ...(addresses.length === 0 ? [space.status] : addresses)
      .slice(0, 3)
      .map((text, index) => line(make, { x: box.x + 12, y: box.y + 47 + index * 14 }, "detail", text, box.width - 24)),
    ...drawStub(make, { x: box.x + 14, y: box.y + box.height }, refusals),
  )
}

function drawCable<E>(make: Make<E>, { cable, points }: PlacedCable): E {
  return make(
    "g",
    { "data-kind": "cable", "data-id": cableId(cable), class: cable.kind },
    make("title", {}, `${cable.near.ifname} ⇄ ${cable.far.ifname}`),
    make("path", { class: "cable", d: pathOf(points) }),
  )
}

const BEND = 8

/** Straight pieces with round corners (SVG 2, "Path data"). */
function pathOf(points: readonly Point[]): string {
  const [first, ...others] = points
  if (first === undefined) {
    return ""
  }
  const parts = [`M${first.x} ${first.y}`]
  let from = first
  others.forEach((corner, index) => {
    const next = others[index + 1]
    if (next === undefined) {
      parts.push(`L${corner.x} ${corner.y}`)
      return
    }
    const before = towards(corner, from)
    const after = towards(corner, next)
    parts.push(`L${before.x} ${before.y}`, `Q${corner.x} ${corner.y} ${after.x} ${after.y}`)
    from = corner
  })
  return parts.join("")
}

/** A little way from one corner in the direction of the other, at most half of it. */
function towards(corner: Point, other: Point): Point {
  const [dx, dy] = [other.x - corner.x, other.y - corner.y]
  const distance = Math.abs(dx) + Math.abs(dy)
  const step = distance === 0 ? 0 : Math.min(BEND, distance / 2) / distance
  return { x: corner.x + dx * step, y: corner.y + dy * step }
}

/** Both of a cable's names, each at its end. */
function drawEnds<E>(make: Make<E>, { cable, points, room }: PlacedCable): E {
  const [near, far] = [points[0], points.at(-1)]
  const plug = (at: Point | undefined): E[] =>
    at === undefined ? [] : [make("rect", { class: "plug", x: at.x - 4, y: at.y - 4, width: 8, height: 8, rx: 2 })]
  return make(
    "g",
    { "data-kind": "ends" },
    ...plug(near),
    ...plug(far),
    ...(far === undefined
      ? []
      : [line(make, { x: far.x + 7, y: far.y - 6 }, "end", cable.near.ifname, room * SMALLER - 4)]),
    ...(far === undefined
      ? []
      : [line(make, { x: far.x + 7, y: far.y + 14 }, "end", cable.far.ifname, room * SMALLER - 4)]),
  )
}

function stateOf({ up, operState }: TopologyLink): string {
  return up && operState !== "down" && operState !== "lowerlayerdown" ? "up" : "down"
}

/** Everything that is known of a link, for who points at it. */
function describe(link: TopologyLink): string {
  const { ifname, kind, ifindex, operState, mtu, mac, addresses, port } = link
  return [
    `${ifname}: ${kind ?? "link"} number ${ifindex}, ${operState}, mtu ${mtu}, ${mac}`,
    ...(port === undefined ? [] : [`port ${port.number ?? "?"} of ${link.master ?? "?"}, ${port.state ?? "?"}`]),
    ...addresses,
  ].join(", ")
}
