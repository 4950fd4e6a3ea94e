// The page: the picture, what is known of the thing that was clicked, and the way of a packet.

import { h, type JSX, render } from "preact"
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks"
import type { Explanation } from "#model/explain.ts"
import type { Topology } from "#model/topology.ts"
import { draw, type Make } from "#picture/draw.ts"
import { layout } from "#picture/layout.ts"
import type { Slots } from "#picture/slots.ts"
import { Details } from "./details.ts"
import { elementsOf, ratesOf } from "./places.ts"
import { type Connection, explain, follow, takeToken } from "./wire.ts"

const TOKEN = takeToken()

interface Seen {
  readonly topology: Topology
  readonly at: number
  readonly rates: ReadonlyMap<string, number>
}

function see(before: Seen | undefined, topology: Topology): Seen {
  const at = performance.now()
  const seconds = before === undefined ? 1 : Math.max(0.05, (at - before.at) / 1000)
  return { topology, at, rates: ratesOf(before?.topology, topology, seconds) }
}

const WORDS: Readonly<Record<Connection, string>> = {
  waiting: "connecting …",
  live: "live",
  lost: "no connection; trying again",
  refused: "not let in: open the address that linkspan printed, token and all",
}

function Page(): JSX.Element {
  const [seen, show] = useReducer(see, undefined)
  const [connection, setConnection] = useState<Connection>("waiting")
  const [chosen, setChosen] = useState(() => decodeURIComponent(location.hash.slice(2)))
  const [search, setSearch] = useState("")
  const [way, setWay] = useState<Way>()
  useEffect(() => {
    void follow(TOKEN, { topology: show, connection: setConnection })
    const back = (): void => setChosen(decodeURIComponent(location.hash.slice(2)))
    addEventListener("hashchange", back)
    return () => removeEventListener("hashchange", back)
  }, [])
  const choose = (id: string): void => {
    // A link of its own for everything that can be pointed at.
    location.hash = id === "" ? "" : `/${encodeURIComponent(id)}`
    setChosen(id)
  }
  useKeys({ onEscape: () => (way === undefined ? choose("") : setWay(undefined)) })
  return h(
    "main",
    null,
    h(
      "header",
      null,
      h("h1", null, "linkspan"),
      h("span", { class: `state ${connection}`, role: "status" }, WORDS[connection]),
      h("input", {
        type: "search",
        id: "search",
        placeholder: "Search: name, address, interface  ( / )",
        "aria-label": "Search",
        value: search,
        onInput: (event: Event) => setSearch((event.target as HTMLInputElement).value),
      }),
      h(Follow, { onWay: setWay }),
    ),
    h(
      "div",
      { class: "picture" },
      seen === undefined ? null : h(Picture, { seen, chosen, search, way, onChoose: choose }),
    ),
    seen === undefined || (chosen === "" && way === undefined)
      ? null
      : h(
          "aside",
          { "aria-label": "Details" },
          way === undefined ? h(Details, { topology: seen.topology, id: chosen }) : h(Hops, { way }),
        ),
  )
}

function useKeys({ onEscape }: { readonly onEscape: () => void }): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === "/" && document.activeElement?.tagName !== "INPUT") {
        event.preventDefault()
        document.getElementById("search")?.focus()
      } else if (event.key === "Escape") {
        onEscape()
      }
    }
    addEventListener("keydown", press)
    return () => removeEventListener("keydown", press)
  })
}

// ── The picture ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface PictureProps {
  readonly seen: Seen
  readonly chosen: string
  readonly search: string
  readonly way: Way | undefined
  readonly onChoose: (id: string) => void
}

function Picture({ seen, chosen, search, way, onChoose }: PictureProps): JSX.Element {
  const slots = useRef<Slots | undefined>(undefined)
  const placement = useMemo(() => {
    const placed = layout(seen.topology, slots.current)
    slots.current = placed.slots
    return placed
  }, [seen])
  const visited = way === undefined ? [] : way.explanation.hops.slice(0, way.step + 1)
  const onWay = new Map(visited.flatMap((hop) => elementsOf(hop, seen.topology).map((id) => [id, hop.failed === true])))
  const wanted = search.trim().toLowerCase()
  const make: Make<JSX.Element> = (tag, attributes, ...children) => {
    const id = attributes["data-id"]
    if (typeof id !== "string") {
      return h(tag, attributes, ...children)
    }
    const rate = seen.rates.get(id) ?? 0
    const classes = [
      attributes["class"],
      id === chosen ? "chosen" : "",
      onWay.has(id) ? (onWay.get(id) === true ? "refused" : "visited") : "",
      rate > 0 ? "busy" : "",
      wanted !== "" && attributes["data-kind"] === "container" && !matches(seen.topology, id, wanted) ? "faded" : "",
    ]
    return h(
      tag,
      {
        ...attributes,
        key: id,
        class: classes.filter((each) => each !== "" && each !== undefined).join(" "),
        style: rate > 0 ? { strokeWidth: thickness(rate) } : undefined,
        onClick: () => onChoose(id),
        onKeyDown: (event: KeyboardEvent) => (event.key === "Enter" ? onChoose(id) : undefined),
      },
      ...children,
    )
  }
  return draw(make, placement)
}

/** Pixels: a kilobyte a second is just more than idle, a gigabyte is as thick as a cable gets. */
function thickness(bytesPerSecond: number): number {
  return 1.5 + Math.max(0, Math.log10(bytesPerSecond / 1000))
}

function matches({ containers }: Topology, id: string, wanted: string): boolean {
  const space = containers.find((each) => each.id === id)
  const texts =
    space === undefined
      ? []
      : [space.name, space.id, ...space.links.flatMap(({ ifname, mac, addresses }) => [ifname, mac, ...addresses])]
  return texts.some((text) => text.toLowerCase().includes(wanted))
}

// ── The way of a packet ─────────────────────────────────────────────────────────────────────────────────────────────

interface Way {
  readonly explanation: Explanation
  /** How far the packet has come. */
  readonly step: number
}

const STEP_MS = 450

function Follow({ onWay }: { readonly onWay: (way: Way | undefined) => void }): JSX.Element {
  const [problem, setProblem] = useState("")
  const timer = useRef(0)
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    clearInterval(timer.current)
    setProblem("")
    const form = new FormData(event.target as HTMLFormElement)
    try {
      const explanation = await explain(TOKEN, String(form.get("from")), String(form.get("to")))
      let step = 0
      onWay({ explanation, step })
      timer.current = setInterval(() => {
        step += 1
        onWay({ explanation, step })
        if (step >= explanation.hops.length - 1) {
          clearInterval(timer.current)
        }
      }, STEP_MS) as unknown as number
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  return h(
    "form",
    { onSubmit: submit },
    problem === "" ? null : h("span", { class: "state lost", role: "alert" }, problem),
    h("input", { name: "from", required: true, placeholder: "from", size: 12, "aria-label": "From" }),
    h("input", { name: "to", required: true, placeholder: "to:port", size: 14, "aria-label": "To" }),
    h("button", { type: "submit" }, "Follow a packet"),
  )
}

function Hops({ way: { explanation, step } }: { readonly way: Way }): JSX.Element {
  const { from, to, reachable, hops, cause } = explanation
  const arrived = step >= hops.length - 1
  return h(
    "div",
    null,
    h("h2", null, `${from} → ${to}`),
    h(
      "ol",
      { id: "hops" },
      ...hops
        .slice(0, step + 1)
        .map((hop, index) =>
          h(
            "li",
            { key: index, class: hop.failed === true ? "stopped" : index === step && !arrived ? "now" : "" },
            hop.place,
            h("pre", null, hop.what),
          ),
        ),
    ),
    arrived
      ? h(
          "p",
          { class: reachable ? "state" : "state lost", id: "verdict" },
          reachable ? "Reachable" : `${cause?.message ?? "Not reachable"}. Next: ${cause?.remedy ?? ""}`,
        )
      : null,
  )
}

render(h(Page, null), document.body)
