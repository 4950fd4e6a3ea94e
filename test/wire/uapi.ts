// The numbers and structs of Linux's C headers, as far as they are written plainly: enums, #defines of numbers, and
// structs of numbers. Debian and Ubuntu have the headers in linux-libc-dev.

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const INCLUDE = "/usr/include"

/** The package that brings the headers. */
export const HEADERS_PACKAGE = "linux-libc-dev"

export function haveHeaders(): boolean {
  return existsSync(join(INCLUDE, "linux/if_link.h"))
}

export interface Struct {
  /** Sizes of the fields, in order, up to the first that is no number. */
  readonly fields: readonly number[]
  /** Of the whole, when all of it is numbers. */
  readonly bytes?: number
}

export interface Header {
  readonly numbers: ReadonlyMap<string, number>
  /** Each enum's own names by their numbers. */
  readonly enums: readonly ReadonlyMap<number, string>[]
  readonly structs: ReadonlyMap<string, Struct>
}

/** Others count from its numbers without including it. */
const COMMON = "linux/netlink.h"

const headers = new Map<string, Header>()

/** @param name below /usr/include: "linux/if_link.h" */
export function header(name: string): Header {
  let parsed = headers.get(name)
  if (parsed === undefined) {
    const common = name === COMMON ? new Map<string, number>() : header(COMMON).numbers
    parsed = parseHeader(readFileSync(join(INCLUDE, name), "utf8"), common)
    headers.set(name, parsed)
  }
  return parsed
}

/** @param known numbers that the source may refer to */
export function parseHeader(source: string, known: ReadonlyMap<string, number> = new Map()): Header {
  const text = source.replaceAll(/\/\*[\s\S]*?\*\//g, " ").replaceAll("\\\n", " ")
  const numbers = new Map(known)
  const enums: ReadonlyMap<number, string>[] = []
  for (const [, defined, body] of text
    .matchAll(/^[ \t]*#define[ \t]+(\w+)[ \t]+(.+)$|enum\s*\w*\s*\{([^}]*)\}/gm)
    .map(split)) {
    if (defined === undefined) {
      enums.push(parseEnum(body, numbers))
    } else {
      const value = evaluate(body, numbers)
      if (value !== undefined) {
        numbers.set(defined, value)
      }
    }
  }
  return { numbers, enums, structs: parseStructs(text) }
}

function split(match: RegExpExecArray): readonly [string, string | undefined, string] {
  return [match[0], match[1], match[2] ?? match[3] ?? ""]
}

function parseEnum(body: string, numbers: Map<string, number>): ReadonlyMap<number, string> {
  const names = new Map<number, string>()
  let next: number | undefined = 0
  for (const line of body.replaceAll(/^\s*#.*$/gm, "").split(",")) {
    const [, name, expression] = /^\s*(\w+)\s*(?:=\s*([\s\S]+))?$/.exec(line) ?? []
    if (name === undefined) {
      continue
    }
    next = expression === undefined ? next : evaluate(expression, numbers)
    if (next !== undefined) {
      numbers.set(name, next)
      names.set(next, names.get(next) ?? name)
      next++
    }
  }
  return names
}

/** Sums, differences, shifts and bits of numbers and of names that stand further up. */
function evaluate(expression: string, numbers: ReadonlyMap<string, number>): number | undefined {
  const plain = expression
    .replaceAll(/\(\s*__u32\s*\)/g, "")
    .replaceAll(/\b(0x[0-9a-f]+|\d+)u?l*\b/gi, (_, digits: string) =>
      String(Number(/^0\d/.test(digits) ? `0o${digits}` : digits)),
    )
    .replaceAll(/\b[A-Za-z_]\w*\b/g, (name) => String(numbers.get(name) ?? name))
  if (!/^[\d\s()+\-<|*]+$/.test(plain)) {
    return undefined
  }
  try {
    // A cast: nothing but digits and operators is left.
    return Number(new Function(`return (${plain})`)() as unknown) >>> 0
  } catch {
    return undefined
  }
}

const SIZES: Readonly<Record<string, number>> = {
  __u8: 1,
  __s8: 1,
  char: 1,
  "unsigned char": 1,
  __u16: 2,
  __be16: 2,
  short: 2,
  "unsigned short": 2,
  __u32: 4,
  __s32: 4,
  __be32: 4,
  int: 4,
  unsigned: 4,
  "unsigned int": 4,
}

function parseStructs(text: string): Map<string, Struct> {
  const structs = new Map<string, Struct>()
  for (const [, name = "", body = ""] of text.matchAll(/struct\s+(\w+)\s*\{([^{}]*)\}/g)) {
    const sizes = body
      .replaceAll(/^\s*#.*$/gm, "")
      .split(";")
      .filter((line) => line.trim() !== "")
      .map(sizesOf)
    const odd = sizes.indexOf(undefined)
    const fields = sizes.slice(0, odd < 0 ? sizes.length : odd).flatMap((size) => size ?? [])
    structs.set(name, odd < 0 ? { fields, bytes: layOut(fields) } : { fields })
  }
  return structs
}

/** A size for each element of an array. */
function sizesOf(field: string): readonly number[] | undefined {
  const [, type = "", count = "1"] = /^\s*(\w[\w\s]*?)\s+\w+\s*(?:\[(\d+)\])?\s*$/.exec(field) ?? []
  const size = SIZES[type.replaceAll(/\s+/g, " ")]
  return size === undefined ? undefined : Array.from({ length: Number(count) }, () => size)
}

/** Every field at a multiple of its size, and the whole a multiple of the largest. */
function layOut(fields: readonly number[]): number {
  let bytes = 0
  for (const size of fields) {
    bytes = Math.ceil(bytes / size) * size + size
  }
  const largest = Math.max(1, ...fields)
  return Math.ceil(bytes / largest) * largest
}
