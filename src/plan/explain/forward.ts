// The host's forward hook: linkspan's own chain, as its sets decide, then everybody else's.

import { family } from "#inet/ip.ts"
import type { ObservedLink } from "#model/observed.ts"
import type { OwnRules } from "./facts.ts"
import { type Position, RECONCILE, type Trail } from "./trail.ts"

const TABLE = "table inet linkspan"

/** undefined: it passes. */
export function forward(trail: Trail, came: ObservedLink, out: ObservedLink): Position | undefined {
  if (!trail.answer) {
    const refused = own(trail, came, out)
    if (refused !== undefined) {
      return refused
    }
  }
  const [iif, oif] = [came.ifname, out.ifname]
  const foreign = trail.answer
    ? undefined
    : trail.world.foreignRefusal({ iif, oif, published: trail.published, family: family(trail.destination) })
  if (foreign !== undefined) {
    const comment = foreign.comment === undefined ? "" : ` ("${foreign.comment}")`
    return trail.fail("host forwards", "foreign-rule", `${foreign.where}${comment} refuses it`, foreign.remedy)
  }
  if (!trail.answer) {
    trail.pass("host forwards", `from ${iif} to ${oif}`)
  }
  return undefined
}

/** Chain forward of table inet linkspan (docs/firewall.md), rule by rule. */
function own(trail: Trail, came: ObservedLink, out: ObservedLink): Position | undefined {
  const { rules } = trail.world
  if (rules === undefined) {
    trail.findings.push(`linkspan's nftables tables are not loaded; load them with: ${RECONCILE}`)
    return undefined
  }
  const [iif, oif] = [came.ifname, out.ifname]
  if (rules.has("inet", "same_network", [iif, oif])) {
    return undefined
  }
  const leaving = rules.verdict("leaving", iif)
  if (leaving !== undefined && leaving !== "leave") {
    return trail.fail(
      TABLE,
      "isolation",
      `chain forward: ${iif} is of an internal network, whose containers reach nothing beyond it`,
      `linkspan network inspect ${networkOf(trail, iif)}`,
    )
  }
  if (enters(trail, iif, oif)) {
    return undefined
  }
  if (!rules.has("inet", "bridges", [oif])) {
    return undefined
  }
  if (leaving !== undefined && crosses(rules, iif, oif)) {
    return undefined
  }
  const network = networkOf(trail, oif)
  return leaving === undefined
    ? trail.fail(
        TABLE,
        "not-published",
        `chain forward: only published ports lead into network ${network} from outside`,
        `linkspan publish ${containerOf(trail)} ${trail.port ?? "PORT"}`,
      )
    : trail.fail(
        TABLE,
        "isolation",
        `chain cross: network ${networkOf(trail, iif)} and network ${network} are kept apart`,
        `linkspan network connect ${network} ${fromOf(trail)}`,
      )
}

function crosses(rules: OwnRules, iif: string, oif: string): boolean {
  const isIn = (set: string, bridge: string): boolean => rules.has("inet", set, [bridge])
  return (isIn("open", iif) && isIn("open_or_guarded", oif)) || (isIn("open_or_guarded", iif) && isIn("open", oif))
}

/** Map entering: what a bridge takes. */
function enters({ world: { rules }, published, destination, port, trip }: Trail, iif: string, oif: string): boolean {
  const way = rules?.verdict("entering", oif)
  if (way === undefined) {
    return false
  }
  if (published) {
    return true
  }
  if (way === "enter_direct") {
    return rules?.has("inet", "bridges", [iif]) !== true
  }
  const opened = family(destination) === 4 ? "opened4" : "opened6"
  return (
    way === "enter_routed" &&
    (port === undefined || rules?.has("inet", opened, [destination, trip.protocol, String(port)]) === true)
  )
}

function networkOf({ world }: Trail, bridge: string): string {
  return world.cables.find((cable) => cable.bridge === bridge)?.network ?? bridge
}

function containerOf({ world, destination }: Trail): string {
  const cable = world.cables.find(({ node }) => world.node(node)?.addresses.some(({ ip }) => ip === destination))
  return cable?.label ?? "CONTAINER"
}

function fromOf({ world, trip }: Trail): string {
  return world.cables.find(({ node }) => node === trip.from)?.label ?? trip.from
}
