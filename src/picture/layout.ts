// Where everything is drawn. The shape of this graph is known, so its layout is arithmetic: the host is a frame, each
// network a band in it with its bridge on top, and the band's containers hang below in a grid.

import type { Cable, Gate, Refusal, Space, Topology, TopologyLink, TopologyNetwork } from "#model/topology.ts"
import { assignSlots, type Slots } from "./slots.ts"
import { outerLinks } from "./wiring.ts"

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface PlacedContainer {
  readonly space: Space
  readonly box: Box
  readonly refusals: readonly Refusal[]
}

export interface PlacedNetwork {
  readonly network: TopologyNetwork
  /** The bridge's bar. */
  readonly box: Box
  /** Absent: the kernel has no link of that name. */
  readonly link?: TopologyLink
  readonly gates: readonly Gate[]
  /** Of packets that no container here sent or was to get. */
  readonly refusals: readonly Refusal[]
}

export interface PlacedCable {
  readonly cable: Cable
  /** From the bridge to the container, corners only. */
  readonly points: readonly Point[]
  /** How much of the container's edge is this cable's. */
  readonly room: number
}

/** A link of the host that is no bridge of a network and no end of a cable. */
export interface PlacedLink {
  readonly link: TopologyLink
  readonly box: Box
}

export interface Placement {
  readonly width: number
  readonly height: number
  readonly host: Box
  readonly links: readonly PlacedLink[]
  readonly networks: readonly PlacedNetwork[]
  readonly containers: readonly PlacedContainer[]
  readonly cables: readonly PlacedCable[]
  /** To be given back with the next topology. */
  readonly slots: Slots
}

const MARGIN = 24
const HEADER = 56
const CELL: Pick<Box, "width" | "height"> = { width: 168, height: 92 }
/** Between containers, for the cables of those behind. */
const GUTTER = 36
const ROW_GAP = 52
const BAR_HEIGHT = 44
const BAND_GAP = 40
/** Left of the bars, for cables from one band to another's bridge. */
const LANE = 64
const LEAST_COLUMNS = 4
const MOST_COLUMNS = 16

export function layout(topology: Topology, before?: Slots): Placement {
  const slots = assignSlots(topology, before)
  const columns = columnsFor(slots)
  const barX = MARGIN + LANE
  const barWidth = columns * CELL.width + (columns - 1) * GUTTER
  const spaces = new Map(topology.containers.map((space) => [space.id, space]))
  const names = new Set(topology.containers.map(({ name }) => name))
  const isAtContainer = ({ container }: Refusal): boolean => container !== undefined && names.has(container)
  const networks: PlacedNetwork[] = []
  const containers: PlacedContainer[] = []
  let y = MARGIN + HEADER + BAND_GAP
  for (const [place, row] of slots) {
    const network = topology.networks.find(({ id }) => id === place)
    if (network === undefined && row.length === 0) {
      continue
    }
    if (network !== undefined) {
      const link = topology.host.links.find(({ ifname }) => ifname === network.ifname)
      networks.push({
        network,
        box: { x: barX, y, width: barWidth, height: BAR_HEIGHT },
        gates: topology.gates.filter((gate) => gate.network === network.id).toSorted((a, b) => a.hostPort - b.hostPort),
        refusals: topology.refusals.filter((each) => each.network === network.name && !isAtContainer(each)),
        ...(link === undefined ? {} : { link }),
      })
      y += BAR_HEIGHT + ROW_GAP
    }
    row.forEach((id, slot) => {
      const space = id === null ? undefined : spaces.get(id)
      if (space !== undefined) {
        const column = slot % columns
        const line = Math.floor(slot / columns)
        containers.push({
          space,
          refusals: topology.refusals.filter((each) => each.container === space.name),
          box: { x: barX + column * (CELL.width + GUTTER), y: y + line * (CELL.height + ROW_GAP), ...CELL },
        })
      }
    })
    y += Math.ceil(row.length / columns) * (CELL.height + ROW_GAP) + BAND_GAP - (row.length === 0 ? 0 : ROW_GAP)
  }
  const width = barX + barWidth + 2 * MARGIN
  const host = { x: MARGIN / 2, y: MARGIN + HEADER / 2, width: width - MARGIN, height: y - MARGIN - HEADER / 2 }
  const placed = { networks, containers }
  return {
    width,
    height: y + MARGIN / 2,
    host,
    links: hostLinks(topology, host),
    ...placed,
    cables: topology.cables.flatMap((cable) => route(cable, topology, placed) ?? []),
    slots,
  }
}

/** Wide enough that the largest network is about as high as it is wide; the same for all, so that columns line up. */
function columnsFor(slots: Slots): number {
  const largest = Math.max(0, ...Array.from(slots.values(), (row) => row.length))
  const wanted = Math.ceil(Math.sqrt(largest))
  // In steps, so that one more container seldom changes it.
  const stepped = LEAST_COLUMNS * Math.ceil(wanted / LEAST_COLUMNS)
  return Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, stepped))
}

const LINK: Pick<Box, "width" | "height"> = { width: 196, height: 40 }

/** They sit on the frame's upper edge, as interfaces sit on the edge of what they belong to. */
function hostLinks(topology: Topology, frame: Box): PlacedLink[] {
  const room = Math.max(1, Math.floor((frame.width - 2 * MARGIN) / (LINK.width + MARGIN / 2)))
  // The others are in the data, and a listing shows them; a picture of a hundred foreign links says nothing.
  return outerLinks(topology)
    .toSorted((a, b) => rank(a) - rank(b) || a.ifindex - b.ifindex)
    .slice(0, room)
    .map((link, index) => ({
      link,
      box: { x: frame.x + MARGIN + index * (LINK.width + MARGIN / 2), y: frame.y - LINK.height / 2, ...LINK },
    }))
}

/** What leads out first, what leads nowhere last. */
function rank({ kind, ifname, up }: TopologyLink): number {
  return (ifname === "lo" ? 4 : kind === undefined ? 0 : 1) + (up ? 0 : 2)
}

const TRACK = 6
const MOST_TRACKS = 4

interface Placed {
  readonly networks: readonly PlacedNetwork[]
  readonly containers: readonly PlacedContainer[]
}

function route(cable: Cable, topology: Topology, { networks, containers }: Placed): PlacedCable | undefined {
  const bridge = networks.find(({ network }) => network.id === cable.network)?.box
  const container = containers.find(({ space }) => space.id === cable.far.space)
  if (bridge === undefined || container === undefined) {
    return undefined
  }
  const { box } = container
  const mine = topology.cables.filter(({ far }) => far.space === cable.far.space)
  const entry = {
    x: box.x + (box.width * (mine.indexOf(cable) + 1)) / (mine.length + 1),
    y: box.y,
  }
  const room = box.width / (mine.length + 1)
  // Two cables of one container do not run on top of each other.
  const above = box.y - ROW_GAP / 2 - (mine.indexOf(cable) % MOST_TRACKS) * TRACK
  const bottom = bridge.y + bridge.height
  const isHome = bottom < box.y && !networks.some(({ box: other }) => other.y > bridge.y && other.y < box.y)
  if (isHome && box.y - bottom === ROW_GAP) {
    return { cable, room, points: [{ x: entry.x, y: bottom }, entry] }
  }
  // Down (or up) a gutter, then along the gap above the container.
  const lane = isHome
    ? box.x + box.width + GUTTER / 2
    : bridge.x - LANE / 2 + ((hash(cable.far.space) % (LANE / 2)) - LANE / 4)
  return isHome
    ? { cable, room, points: [{ x: lane, y: bottom }, { x: lane, y: above }, { x: entry.x, y: above }, entry] }
    : {
        cable,
        room,
        points: [
          { x: bridge.x, y: bridge.y + bridge.height / 2 },
          { x: lane, y: bridge.y + bridge.height / 2 },
          { x: lane, y: above },
          { x: entry.x, y: above },
          entry,
        ],
      }
}

/** Spreads cables over a lane, the same for the same container each time. */
function hash(text: string): number {
  let sum = 0
  for (const character of text) {
    sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521
  }
  return sum
}
