// `filters=` of a listing: {"driver":{"bridge":true}}, or {"driver":["bridge"]} as older clients write it. Keys narrow
// together, values of one key are alternatives.

import { Refusal } from "./refusal.ts"

export type Filters = ReadonlyMap<string, readonly string[]>

/** @throws Refusal 400 for text that is no filter, and for keys that the listing does not have */
export function readFilters(query: URLSearchParams, known: readonly string[]): Filters {
  const text = query.get("filters") ?? ""
  if (text === "") {
    return new Map()
  }
  const filters = new Map(Object.entries(parse(text)).map(([key, values]) => [key, valuesOf(values)]))
  for (const key of filters.keys()) {
    if (!known.includes(key)) {
      throw new Refusal(400, `invalid filter '${key}'`)
    }
  }
  return filters
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value
    }
  } catch {
    // Said below.
  }
  throw new Refusal(400, "invalid filter: filters must be a JSON object of objects or lists")
}

function valuesOf(values: unknown): readonly string[] {
  if (Array.isArray(values) && values.every((value): value is string => typeof value === "string")) {
    return values
  }
  if (typeof values === "object" && values !== null && !Array.isArray(values)) {
    return Object.keys(values)
  }
  throw new Refusal(400, "invalid filter: filters must be a JSON object of objects or lists")
}

/** @param matches true when nothing is filtered by that key */
export function passes(filters: Filters, key: string, matches: (value: string) => boolean): boolean {
  const values = filters.get(key)
  return values === undefined || values.some(matches)
}

/** "key" or "key=value", of which all must be there. */
export function hasLabels(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  return (filters.get("label") ?? []).every((label) => {
    const equals = label.indexOf("=")
    const key = equals < 0 ? label : label.slice(0, equals)
    return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === label.slice(equals + 1))
  })
}

/** @throws Refusal 400 unless the key is there once with one of Docker's words for yes and no */
export function readSwitch(filters: Filters, key: string): boolean | undefined {
  const values = filters.get(key)
  if (values === undefined) {
    return undefined
  }
  const on = values.some((value) => /^(1|t|true)$/i.test(value))
  const off = values.some((value) => /^(0|f|false)$/i.test(value))
  if (on === off) {
    throw new Refusal(400, `invalid filter '${key}=[${values.join(" ")}]'`)
  }
  return on
}
