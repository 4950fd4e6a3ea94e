// Times as Docker's clients give them: "1136073600.000000001", RFC 3339, or how long ago ("10m", "1h30m").

import { Refusal } from "./refusal.ts"

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, ns: 1e-6 }

/** @param name of the parameter, for the message. @throws Refusal 400 */
export function readInstant(name: string, text: string): Date {
  const ago = durationOf(text)
  const instant = ago === undefined ? new Date(pointOf(text)) : new Date(Date.now() - ago)
  if (Number.isNaN(instant.getTime())) {
    throw new Refusal(
      400,
      `invalid ${name} ${JSON.stringify(text)}: give seconds since 1970, a date as in RFC 3339, or how long ago as in 1h30m`,
    )
  }
  return instant
}

function pointOf(text: string): number {
  if (/^-?[0-9]{1,12}(\.[0-9]{1,9})?$/.test(text)) {
    return Number(text) * 1000
  }
  return /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(text) ? Date.parse(text) : Number.NaN
}

/** Go's time.ParseDuration, without signs. */
function durationOf(text: string): number | undefined {
  if (!/^([0-9]+(\.[0-9]+)?(h|ms|m|s|us|ns))+$/.test(text)) {
    return undefined
  }
  return [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|ns)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit as string] as number),
    0,
  )
}
