// Reading requests of unknown origin (JSON, untyped JavaScript) field by field. A reader takes a field and gives the
// checked value, or records what is wrong and gives `undefined`; reading goes on, so that one answer lists everything.

import { type Issue, LinkspanError } from "./errors.ts"
import { didYouMean } from "./nearest.ts"
import { alternatives, quote } from "./quote.ts"

/** One value, the place it stood at ("subnets[0].gateway", "" for the request itself), and the list its mistakes go to. */
export interface Field {
  readonly value: unknown
  readonly path: string
  readonly issues: Issue[]
}

export type Reader<T> = (field: Field) => T | undefined

/** What a check gives: the value, or at least one issue. */
export type Checked<T> =
  | { readonly issues: readonly []; readonly value: T }
  | { readonly issues: readonly Issue[]; readonly value?: undefined }

/** Beyond this many mistakes the list says so and ends: a request of 65,535 wrong ports is one mistake, not 65,535. */
const MOST_ISSUES = 100

export function rootField(value: unknown): Field {
  return { value, path: "", issues: [] }
}

export function childField(parent: Field, key: string | number, value: unknown): Field {
  const path = typeof key === "number" ? `${parent.path}[${key}]` : parent.path === "" ? key : `${parent.path}.${key}`
  return { value, path, issues: parent.issues }
}

/** Records a mistake. */
export function refuse(field: Field, message: string): undefined {
  if (field.issues.length < MOST_ISSUES) {
    field.issues.push({ path: field.path, message })
  } else if (field.issues.length === MOST_ISSUES) {
    field.issues.push({ path: "", message: `more mistakes than the ${MOST_ISSUES} listed here` })
  }
  return undefined
}

/** @param value `undefined` only where an issue was recorded. */
export function checked<T>(field: Field, value: T | undefined): Checked<T> {
  return field.issues.length > 0 || value === undefined ? { issues: field.issues } : { issues: [], value }
}

/** @throws LinkspanError INVALID_REQUEST with every issue. @param message 'Cannot create network "web": the request has mistakes' */
export function accept<T>(message: string, result: Checked<T>): T {
  if (result.value === undefined) {
    throw new LinkspanError("INVALID_REQUEST", { message, issues: result.issues })
  }
  return result.value
}

/** Absent fields give `undefined` without an issue. Null is not absent. */
export function optional<T>(field: Field, read: Reader<T>): T | undefined {
  return field.value === undefined ? undefined : read(field)
}

export function required<T>(field: Field, read: Reader<T>): T | undefined {
  return field.value === undefined ? refuse(field, "is missing") : read(field)
}

/**
 * An object with no keys but the known ones; unknown ones are refused with the nearest known.
 * Only own properties count, so nothing comes in by a prototype.
 */
export function readObject<K extends string>(
  field: Field,
  known: Readonly<Record<K, true>>,
): Record<K, Field> | undefined {
  const object = readPlainObject(field)
  if (object === undefined) {
    return undefined
  }
  const keys = Object.keys(known) as K[]
  for (const key of Object.keys(object)) {
    if (!Object.hasOwn(known, key)) {
      refuse(field, `has no field ${quote(key)}${didYouMean(key, keys)}`)
    }
  }
  const fields = keys.map((key) => [key, childField(field, key, Object.hasOwn(object, key) ? object[key] : undefined)])
  return Object.fromEntries(fields) as Record<K, Field>
}

export function readPlainObject(field: Field): Readonly<Record<string, unknown>> | undefined {
  return typeof field.value === "object" && field.value !== null && !Array.isArray(field.value)
    ? (field.value as Record<string, unknown>)
    : refuse(field, `must be an object, not ${quote(field.value)}`)
}

/** Well-formed Unicode without NUL, which neither paths nor the kernel's names nor SQLite's text functions can carry. */
export function readText(field: Field, max = 255): string | undefined {
  const text = field.value
  if (typeof text !== "string") {
    return refuse(field, `must be text, not ${quote(text)}`)
  }
  if (text.length > max) {
    return refuse(field, `${quote(text)} has ${text.length} characters; at most ${max} are allowed`)
  }
  if (!text.isWellFormed() || text.includes("\0")) {
    return refuse(field, `${quote(text)} has a character that cannot be stored (NUL or half a surrogate pair)`)
  }
  return text
}

export function readBoolean(field: Field): boolean | undefined {
  return typeof field.value === "boolean"
    ? field.value
    : refuse(field, `must be true or false, not ${quote(field.value)}`)
}

export function integerFrom(min: number, max: number, because = ""): Reader<number> {
  return (field) => {
    const number = field.value
    if (typeof number !== "number" || !Number.isInteger(number) || number < min || number > max) {
      return refuse(field, `must be a whole number from ${min} to ${max}${because}, not ${quote(number)}`)
    }
    return number
  }
}

export function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return (field) => {
    const known = words.find((word) => word === field.value)
    if (known !== undefined) {
      return known
    }
    const hint = typeof field.value === "string" ? didYouMean(field.value, words) : ""
    return refuse(field, `must be ${alternatives(words)}, not ${quote(field.value)}${hint}`)
  }
}

/** A list, element by element; a refused element leaves `undefined` in its place, so that indexes still mean something. */
export function readList<T>(field: Field, max: number, read: Reader<T>): readonly (T | undefined)[] | undefined {
  const list: unknown = field.value
  if (!Array.isArray(list)) {
    return refuse(field, `must be a list, not ${quote(list)}`)
  }
  if (list.length > max) {
    return refuse(field, `has ${list.length} entries; at most ${max} are allowed`)
  }
  // Array.from also visits the holes of a sparse array.
  return Array.from(list as unknown[], (value, index) => required(childField(field, index, value), read))
}

export function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined
}

/** Leaves out what is undefined, so that "absent" is an absent property (exactOptionalPropertyTypes). */
export function presentOnly<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
