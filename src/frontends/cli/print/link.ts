// A link as the kernel has it, in one line.

import type { ActualLink, Counters } from "#model/view.ts"
import { bytes, count } from "./humanise.ts"
import { type Look, paint } from "./look.ts"

export function linkState(link: ActualLink | undefined, look: Look): string {
  if (link === undefined) {
    return paint(look, "red", "missing")
  }
  if (!link.up) {
    return paint(look, "red", "down")
  }
  // "unknown" is what a link without a carrier of its own says when all is well.
  if (link.operState === "up" || link.operState === "unknown") {
    return paint(look, "green", "up")
  }
  // A bridge without ports, for one.
  return paint(look, "yellow", `up, ${link.operState === "down" ? "no carrier" : link.operState}`)
}

export function countersText(
  { rxBytes, rxPackets, rxDropped, txBytes, txPackets, txDropped }: Counters,
  look: Look,
): string {
  const dropped = rxDropped + txDropped
  const text = `received ${bytes(rxBytes)} (${count(rxPackets, "packet")}), sent ${bytes(txBytes)} (${count(txPackets, "packet")})`
  return (
    paint(look, "dim", text) + (dropped === 0 ? "" : paint(look, "yellow", `, ${count(dropped, "packet")} dropped`))
  )
}
