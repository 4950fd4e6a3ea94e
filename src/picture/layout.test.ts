import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { Id, Ifname } from "#model/name.ts"
import type { Cable, Topology } from "#model/topology.ts"
import { dotOf, mermaidOf } from "./graph.ts"
import { type Box, layout, type Placement } from "./layout.ts"
import { assignSlots } from "./slots.ts"
import { svgOf } from "./svg.ts"

/** @param joins of container n, the networks that it is on. */
function topologyOf(networks: number, joins: Readonly<Record<number, readonly number[]>>, name = "c"): Topology {
  const id = (kind: string, n: number): Id => `${kind}${n}` as Id
  const cables = Object.entries(joins).flatMap(([n, on]) =>
    on.map(
      (network, index): Cable => ({
        kind: "veth",
        near: { space: "host", ifname: `lv-${n}-${index}` as Ifname },
        far: { space: id("c", Number(n)), ifname: `eth${index}` as Ifname },
        network: id("n", network),
      }),
    ),
  )
  return {
    version: "",
    host: { id: "host", name: "host", status: "running", links: [], routes: [] },
    containers: Object.keys(joins).map((n) => ({
      id: id("c", Number(n)),
      name: `${name}${n}`,
      status: "running",
      links: [],
      routes: [],
    })),
    networks: Array.from({ length: networks }, (_, n) => ({
      id: id("n", n),
      name: `net${n}`,
      driver: "bridge",
      ifname: `br${n}` as Ifname,
      mode: "nat",
      internal: false,
      subnets: [],
    })),
    cables,
    gates: [],
    refusals: [],
  }
}

const scenes = fc
  .tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 60 }),
    fc.infiniteStream(fc.nat()),
  )
  .map(([networks, numbers, chance]) => {
    const next = (): number => Number(chance.next().value)
    const joins = Object.fromEntries(
      numbers.map((n) => [n, [...new Set(Array.from({ length: next() % 3 }, () => next() % networks))]]),
    )
    return { networks, joins }
  })

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

describe("layout()", () => {
  test("draws everything once, inside the host's frame, and nothing upon another", () => {
    fc.assert(
      fc.property(scenes, ({ networks, joins }) => {
        const placed = layout(topologyOf(networks, joins))
        expect(placed.containers.map(({ space }) => space.id).sort()).toEqual(
          Object.keys(joins)
            .map((n) => `c${n}` as Id)
            .sort(),
        )
        expect(placed.cables).toHaveLength(Object.values(joins).flat().length)
        const boxes = [...placed.containers, ...placed.networks].map(({ box }) => box)
        boxes.forEach((box, index) => {
          expect(boxes.slice(index + 1).some((other) => overlaps(box, other))).toBe(false)
          expect(box.x >= placed.host.x && box.x + box.width <= placed.host.x + placed.host.width).toBe(true)
          expect(box.y >= placed.host.y && box.y + box.height <= placed.host.y + placed.host.height).toBe(true)
        })
        for (const { cable, points } of placed.cables) {
          const box = placed.containers.find(({ space }) => space.id === cable.far.space)?.box
          const end = points.at(-1)
          expect(end?.y).toBe(box?.y as number)
          expect((end?.x ?? 0) > (box?.x ?? 0) && (end?.x ?? 0) < (box?.x ?? 0) + (box?.width ?? 0)).toBe(true)
        }
      }),
    )
  })
})

test("a stopped packet is drawn at who sent it, else at the network, by the rule's name", () => {
  const rule = { chain: "refuse", reason: "refused", protocol: "tcp" }
  const refusals = [
    { ...rule, container: "c1", network: "net0", to: "10.0.0.9", port: 80 },
    { ...rule, container: "gone", network: "net0", chain: "guard" },
  ]
  const placed = layout({ ...topologyOf(1, { 1: [0], 2: [0] }), refusals })
  expect(placed.containers.map((each) => each.refusals.length)).toEqual([1, 0])
  expect(placed.networks.map((each) => each.refusals)).toEqual([refusals.slice(1)])
  const text = svgOf({ ...topologyOf(1, { 1: [0] }), refusals })
  expect(text).toContain("tcp to 10.0.0.9:80 stopped in chain refuse (refused)")
  expect(text.match(/data-kind="refusal"/g)).toHaveLength(2)
})

describe("assignSlots()", () => {
  test("moves nobody who stays where they are, whoever joins or leaves", () => {
    fc.assert(
      fc.property(scenes, scenes, ({ networks, joins }, then) => {
        const before = assignSlots(topologyOf(networks, joins))
        const kept = Object.fromEntries(Object.entries(joins).filter(([n]) => Number(n) % 2 === 0))
        const others = Object.fromEntries(
          Object.entries(then.joins).map(([n, on]) => [Number(n) + 1000, on.filter((each) => each < networks)]),
        )
        const after = assignSlots(topologyOf(networks, { ...kept, ...others }), before)
        for (const [place, row] of before) {
          row.forEach((id, slot) => {
            if (id !== null && Number(id.slice(1)) % 2 === 0) {
              expect(after.get(place)?.[slot]).toBe(id)
            }
          })
        }
        expect([...after.values()].flat().filter((id) => id !== null)).toHaveLength(
          Object.keys(kept).length + Object.keys(others).length,
        )
      }),
    )
  })

  test("puts a new network below, and keeps the room of those who have left", () => {
    const two = topologyOf(2, { 1: [0], 2: [0], 3: [0], 4: [0], 5: [0], 6: [1] })
    const before = layout(two)
    const boxOf = (placed: Placement, id: string): Box | undefined =>
      placed.containers.find(({ space }) => space.id === id)?.box
    // It sorts before the others, and a row of the first one becomes empty.
    const added = { ...topologyOf(3, { 1: [0], 6: [1], 7: [2] }), networks: topologyOf(3, {}).networks.toReversed() }
    const after = layout(added, before.slots)
    expect([boxOf(after, "c1"), boxOf(after, "c6")]).toEqual([boxOf(before, "c1"), boxOf(before, "c6")])
    expect(boxOf(after, "c7")?.y).toBeGreaterThan(boxOf(before, "c6")?.y ?? 0)
  })

  test("gives a place that became free to the next who comes", () => {
    const before = assignSlots(topologyOf(1, { 1: [0], 2: [0], 3: [0] }))
    const without = assignSlots(topologyOf(1, { 1: [0], 3: [0] }), before)
    expect(without.get("n0" as Id)).toEqual(["c1", null, "c3"] as Id[])
    expect(assignSlots(topologyOf(1, { 1: [0], 3: [0], 4: [0] }), without).get("n0" as Id)).toEqual([
      "c1",
      "c4",
      "c3",
    ] as Id[])
  })
})

describe("names cannot become more than text", () => {
  const evil = `"><script>alert(1)</script>&\u0001`

  test("in SVG", () => {
    const text = svgOf(topologyOf(1, { 1: [0] }, evil))
    expect(text).not.toContain("<script")
    expect(text).not.toContain("\u0001")
    expect(text).toContain("&quot;&gt;&lt;script&gt;")
  })

  test("in Graphviz' language and Mermaid's", () => {
    expect(dotOf(topologyOf(1, { 1: [0] }, evil))).toContain('label="\\"><script>')
    expect(mermaidOf(topologyOf(1, { 1: [0] }, evil))).not.toContain("<script")
  })
})
