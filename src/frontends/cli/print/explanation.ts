// `linkspan explain`: the way of a packet, a place a line, and what stops it.

import type { Explanation, Hop, ProbeView } from "#model/explain.ts"
import { type Look, paint, plain, width } from "./look.ts"

export function explanationText(
  { from, to, reachable, hops, cause, probe, findings }: Explanation,
  look: Look,
): string {
  const title = reachable
    ? `${paint(look, "green", "✔")} ${plain(from)} reaches ${plain(to)}`
    : `${paint(look, "red", "✘")} ${plain(from)} does not reach ${plain(to)}`
  const places = hops.map(({ place }) => plain(place))
  const room = Math.max(0, ...places.map(width))
  const lines = hops.map((hop, index) => hopLine(hop, { place: places[index] ?? "", room, first: index === 0, look }))
  return [
    paint(look, "bold", title),
    "",
    ...lines,
    ...(probe === undefined ? [] : ["", `${paint(look, "bold", "probe")} ${probeText(probe)}`]),
    ...(findings.length === 0
      ? []
      : ["", ...findings.map((finding) => `${paint(look, "yellow", "note")}  ${plain(finding)}`)]),
    ...(cause === undefined ? [] : ["", `${paint(look, "bold", "next")}  ${plain(cause.remedy)}`]),
  ]
    .map((line) => `${line}\n`)
    .join("")
}

function hopLine(
  hop: Hop,
  { place, room, first, look }: { place: string; room: number; first: boolean; look: Look },
): string {
  const padded = place + " ".repeat(room - width(place))
  if (hop.failed === true) {
    return paint(look, "red", `  ✘ ${padded}  ${plain(hop.what)}`)
  }
  return `  ${first ? " " : "→"} ${paint(look, "cyan", padded)}  ${paint(look, "dim", plain(hop.what))}`
}

const OUTCOMES = {
  answered: "a real packet was answered after",
  sent: "a real datagram was sent, and nobody refused it within",
  refused: "a real packet was refused after",
  unanswered: "a real packet got no answer within",
} as const

function probeText({ outcome, ms, error, kernel }: ProbeView): string {
  const why = kernel === undefined ? "" : `; the kernel's reason: ${kernel.reason}`
  return `${OUTCOMES[outcome]} ${ms} ms${error === undefined ? "" : ` (${error})`}${why}`
}
