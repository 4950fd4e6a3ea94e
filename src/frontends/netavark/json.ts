// Reading JSON as serde, which netavark is built with, reads it: unknown fields are ignored, wrong ones are named.

import { parseIp } from "#inet/ip.ts"
import { NetavarkError } from "./error.ts"

export type Json = Readonly<Record<string, unknown>>

/** Reads the fields of one JSON text, and says where it ends when one is missing. */
export class Reader {
  readonly #place: string

  constructor(text: string) {
    const lines = text.trimEnd().split("\n")
    this.#place = `at line ${lines.length} column ${lines.at(-1)?.length ?? 0}`
  }

  fail(reason: string): never {
    throw new NetavarkError(`${reason} ${this.#place}`)
  }

  /** @param null is the same as absent. */
  optional<T>(object: Json, key: string, read: (value: unknown, key: string) => T): T | undefined {
    const value = Object.hasOwn(object, key) ? object[key] : undefined
    return value === undefined || value === null ? undefined : read(value, key)
  }

  required<T>(object: Json, key: string, read: (value: unknown, key: string) => T): T {
    if (!Object.hasOwn(object, key)) {
      this.fail(`missing field \`${key}\``)
    }
    return read(object[key], key)
  }

  readonly text = (value: unknown, key: string): string =>
    typeof value === "string" ? value : this.#wrong(value, "a string", key)

  /** As it is written. */
  readonly address = (value: unknown, key: string): string => {
    const text = this.text(value, key)
    return parseIp(text) === undefined ? this.fail("invalid IP address syntax") : text
  }

  readonly boolean = (value: unknown, key: string): boolean =>
    typeof value === "boolean" ? value : this.#wrong(value, "a boolean", key)

  number(max: number): (value: unknown, key: string) => number {
    return (value, key) =>
      typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max
        ? value
        : this.#wrong(value, max === 0xffff ? "u16" : "u32", key)
  }

  readonly object = (value: unknown, key: string): Json =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Json)
      : this.#wrong(value, "a map", key)

  list<T>(read: (value: unknown, key: string) => T): (value: unknown, key: string) => readonly T[] {
    return (value, key) =>
      Array.isArray(value) ? value.map((each) => read(each, key)) : this.#wrong(value, "a sequence", key)
  }

  map<T>(read: (value: unknown, key: string) => T): (value: unknown, key: string) => readonly (readonly [string, T])[] {
    return (value, key) => Object.entries(this.object(value, key)).map(([name, each]) => [name, read(each, name)])
  }

  #wrong(value: unknown, wanted: string, key: string): never {
    return this.fail(`invalid type: ${describe(value)}, expected ${wanted} in \`${key}\``)
  }
}

function describe(value: unknown): string {
  if (value === null) {
    return "null"
  }
  if (typeof value === "object") {
    return Array.isArray(value) ? "sequence" : "map"
  }
  return typeof value === "string" ? `string ${JSON.stringify(value)}` : `${typeof value} \`${String(value)}\``
}

/** @throws NetavarkError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new NetavarkError(
      text.trim() === "" ? "EOF while parsing a value at line 1 column 0" : (error as Error).message,
      { cause: error },
    )
  }
}
