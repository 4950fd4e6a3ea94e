// Which packets have been stopped in the last minute, from the log of events.

import type { Denial } from "#model/event.ts"
import type { Refusal } from "#model/topology.ts"
import type { Store } from "#store/store.ts"

const LATELY_MS = 60_000
/** Looked at, the newest: what a flood has pushed out of them is not shown. */
const MOST_EVENTS = 200

export function recentRefusals(store: Pick<Store, "eventBounds" | "events">, now = Date.now()): Refusal[] {
  const denials = store
    .events(Math.max(0, store.eventBounds().last - MOST_EVENTS), MOST_EVENTS)
    .filter((event) => event.kind === "denied" && now - Date.parse(event.time) < LATELY_MS) as Denial[]
  return [...new Map(denials.map(refusalOf).map((refusal) => [JSON.stringify(refusal), refusal])).values()]
}

function refusalOf({ container, network, chain, reason, protocol, to, port }: Denial): Refusal {
  return {
    ...(container === undefined ? {} : { container }),
    ...(network === undefined ? {} : { network }),
    chain,
    reason,
    protocol,
    ...(to === undefined ? {} : { to }),
    ...(port === undefined ? {} : { port }),
  }
}
