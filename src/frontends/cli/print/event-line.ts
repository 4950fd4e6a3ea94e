// One event in one line.

import type { Denial, Event, Happening, Place } from "#model/event.ts"
import { count } from "./humanise.ts"
import { type Look, type Paint, paint, plain } from "./look.ts"
import { publicationText } from "./publication.ts"

/** As wide as the longest. */
const KIND_WIDTH = 15

export function eventLine(event: Event, look: Look): string {
  const time = paint(look, "dim", event.time.slice(0, 23).replace("T", " "))
  const kind = paint(look, COLOURS[event.kind] ?? "bold", event.kind.padEnd(KIND_WIDTH))
  return `${time}  ${String(event.cursor).padStart(6)}  ${kind}  ${plain(what(event))}\n`
}

const COLOURS: { readonly [K in Happening["kind"]]?: Paint } = {
  healed: "green",
  damaged: "red",
  "link-down": "red",
  refused: "yellow",
  denied: "yellow",
  missed: "yellow",
}

function what(event: Happening): string {
  switch (event.kind) {
    case "network-created":
    case "network-changed":
    case "network-removed":
      return event.network
    case "attached":
    case "detached":
    case "connected":
    case "disconnected":
      return [
        event.container,
        ...event.places.map(placeText),
        ...event.ports.map((port) => publicationText(port)),
      ].join(", ")
    case "published":
    case "unpublished":
      return [event.container, ...event.ports.map((port) => publicationText(port))].join(", ")
    case "healed":
      return `${event.problem}${event.by === undefined ? "" : `, by ${event.by}`}`
    case "damaged":
      return `${event.problem}: ${event.reason}`
    case "link-up":
    case "link-down":
      return event.ifname
    case "refused":
      return `${count(event.packets, "packet")}: ${event.reason.replaceAll("_", " ")}`
    case "denied":
      return denial(event)
    case "missed":
      return `${count(event.events, "event")} ${event.events === 1 ? "is" : "are"} not kept any more`
  }
}

function placeText({ network, addresses, aliases = [] }: Place): string {
  return [network, ...addresses, ...(aliases.length === 0 ? [] : ["as", aliases.join(" and ")])].join(" ")
}

function denial({ reason, protocol, from, to, port, container, network, table, chain }: Denial): string {
  const ends = from === undefined || to === undefined ? "" : ` ${from} → ${to}`
  const who = [container, network].filter((name) => name !== undefined).join(", ")
  return `${reason.replaceAll("_", " ")}: ${protocol}${ends}${port === undefined ? "" : ` port ${port}`}${who === "" ? "" : ` (${who})`}, chain ${chain} of table ${table} linkspan`
}
