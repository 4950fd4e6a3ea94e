// GET /events: what has been since a moment, then what happens, until a moment or until the client leaves.

import { isAtLeast } from "./api-version.ts"
import type { EventLog, LoggedEvent } from "./event-log.ts"
import { exactNumber } from "./exact-number.ts"
import { type Filters, hasLabels, passes, readFilters } from "./filters.ts"
import type { Answer, Call } from "./http.ts"
import { Refusal } from "./refusal.ts"
import { readInstant } from "./time.ts"

/** Docker's list: those of things that are not here let nothing through. */
const FILTERS = [
  "config",
  "container",
  "daemon",
  "event",
  "image",
  "label",
  "network",
  "node",
  "plugin",
  "scope",
  "secret",
  "service",
  "type",
  "volume",
]
const OF_OTHER_THINGS = ["config", "daemon", "image", "node", "plugin", "secret", "service", "volume"]

const TYPES: Readonly<Record<string, { readonly type: string; readonly before: string }>> = {
  "application/json": { type: "application/json", before: "" },
  "application/x-ndjson": { type: "application/x-ndjson", before: "" },
  "application/jsonl": { type: "application/jsonl", before: "" },
  // RFC 7464.
  "application/json-seq": { type: "application/json-seq", before: "\u001e" },
}

export function streamEvents(log: EventLog, { query, accept, version }: Call): Answer {
  const filters = readFilters(query, FILTERS)
  const since = instant(query, "since")
  const until = instant(query, "until")
  if (since !== undefined && until !== undefined && since > until) {
    throw new Refusal(400, "`since` time cannot be after `until` time")
  }
  const asked = isAtLeast(version, 52) ? accept.split(/[;,]/)[0]?.trim() : undefined
  const { type, before } = TYPES[asked ?? ""] ?? { type: "application/json", before: "" }
  const isWanted = (event: LoggedEvent): boolean =>
    (until === undefined || event.timeNs <= until) && matches(event, filters)
  return {
    status: 200,
    headers: { "Content-Type": type },
    body: (send, end) => {
      const tell = (event: LoggedEvent): void => {
        if (isWanted(event)) {
          send(`${before}${eventText(event)}\n`)
        }
      }
      if (since !== undefined || until !== undefined) {
        for (const event of log.kept.filter(({ timeNs }) => since === undefined || timeNs >= since)) {
          tell(event)
        }
      }
      const remaining = until === undefined ? undefined : Number(until / 1_000_000n) - Date.now()
      if (remaining !== undefined && remaining <= 0) {
        end()
        return () => undefined
      }
      const leave = log.listen(tell)
      const timer = remaining === undefined ? undefined : alarm(remaining, end)
      return () => {
        leave()
        clearTimeout(timer)
      }
    },
  }
}

/** The longest that a timer can wait; nobody listens that long. */
const LONGEST_WAIT_MS = 2 ** 31 - 1

function alarm(ms: number, end: () => void): Timer {
  return setTimeout(end, Math.min(ms, LONGEST_WAIT_MS))
}

function instant(query: URLSearchParams, name: "since" | "until"): bigint | undefined {
  const text = query.get(name) ?? ""
  if (text === "" || text === "0") {
    return undefined
  }
  const [, seconds, fraction] = /^([0-9]{1,12})\.?([0-9]{0,9})$/.exec(text) ?? []
  return seconds === undefined
    ? BigInt(readInstant(name, text).getTime()) * 1_000_000n
    : BigInt(seconds) * 1_000_000_000n + BigInt((fraction ?? "").padEnd(9, "0"))
}

function matches({ type, action, id, attributes }: LoggedEvent, filters: Filters): boolean {
  const begins = (text: string | undefined, value: string): boolean => text?.startsWith(value) === true
  const isOf = (kind: LoggedEvent["type"], value: string): boolean =>
    type === kind && (begins(id, value) || begins(attributes["name"], value))
  return (
    passes(filters, "type", (value) => value === type) &&
    passes(filters, "event", (value) => value === action) &&
    passes(filters, "scope", (value) => value === "local") &&
    passes(filters, "network", (value) => isOf("network", value)) &&
    passes(filters, "container", (value) => isOf("container", value) || begins(attributes["container"], value)) &&
    hasLabels(filters, attributes) &&
    !OF_OTHER_THINGS.some((key) => filters.has(key))
  )
}

function eventText({ type, action, id, attributes, timeNs }: LoggedEvent): string {
  return JSON.stringify({
    // As it was before there were other things than containers.
    ...(type === "container" ? { status: action, id, from: attributes["image"] } : {}),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: "local",
    time: Number(timeNs / 1_000_000_000n),
    // Beyond what a double holds exactly.
    timeNano: exactNumber(timeNs),
  })
}
