// How one word of the command line becomes a value. An option or positional names the kind of value it takes; parsing,
// help, completion and the documentation all read the same object.

import { didYouMean } from "#model/nearest.ts"
import { alternatives, quote } from "#model/quote.ts"

/** Tells why a text is not such a value: the end of a sentence whose beginning is the option. */
export type Refuse = (why: string) => void

/** What a shell may offer for a value. */
export type Candidates = "network" | "container" | "file" | "directory" | { readonly words: readonly string[] }

export interface Value<T> {
  /** Its place-holder in help texts: PREFIX, PORT, … */
  readonly metavar: string
  readonly candidates?: Candidates
  /** The value, or `undefined` after `refuse` was called. */
  read(text: string, refuse: Refuse): T | undefined
}

/** Any text but none at all. What it must look like is the engine's business, so that every door says the same. */
export function text(metavar: string, candidates?: Candidates): Value<string> {
  return {
    metavar,
    ...(candidates === undefined ? {} : { candidates }),
    read(text, refuse) {
      if (text === "") {
        refuse("the value is empty")
        return undefined
      }
      return text
    },
  }
}

/** A whole number. Bounds are given here only where they are the command line's own. */
export function integer(
  metavar: string,
  bounds: { readonly min: number; readonly max: number } = UNBOUNDED,
): Value<number> {
  return {
    metavar,
    read(text, refuse) {
      const value = /^-?[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN
      if (value >= bounds.min && value <= bounds.max) {
        return value
      }
      refuse(
        `must be a whole number${bounds === UNBOUNDED ? "" : ` from ${bounds.min} to ${bounds.max}`}, not ${quote(text)}`,
      )
      return undefined
    },
  }
}

const UNBOUNDED = { min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }

/** A number of bytes, as "512k", "10m" or "1g": powers of 1024, as dd(1), Docker and Podman have them. */
export const bytes: Value<number> = {
  metavar: "SIZE",
  read(text, refuse) {
    const [, digits, unit = ""] = /^([0-9]{1,15})(?:([kmg])(?:i?b)?|b)?$/i.exec(text) ?? []
    if (digits === undefined) {
      refuse(`${quote(text)} is not a size: write a number of bytes, or one with k, m or g, such as 10m`)
      return undefined
    }
    return Number(digits) * 1024 ** " kmg".indexOf(unit.toLowerCase() || " ")
  },
}

/** Bits a second, in tc's words: 10mbit, 500kbit, 1gbit, or a plain number. */
export const rate: Value<number> = {
  metavar: "RATE",
  read(text, refuse) {
    const [, number, unit = ""] = /^([0-9]{1,13}(?:\.[0-9]{1,3})?)(kbit|mbit|gbit|bit)?$/i.exec(text) ?? []
    if (number === undefined) {
      refuse(`must be a rate as 500kbit, 10mbit or 1gbit, not ${quote(text)}`)
      return undefined
    }
    const factor = { kbit: 1e3, mbit: 1e6, gbit: 1e9 }[unit.toLowerCase()] ?? 1
    return Math.round(Number(number) * factor)
  },
}

/** One of a few words that the command line itself understands. */
export function oneOf(metavar: string, words: readonly string[]): Value<string> {
  return {
    metavar,
    candidates: { words },
    read(text, refuse) {
      if (words.includes(text)) {
        return text
      }
      refuse(`must be ${alternatives(words)}, not ${quote(text)}${didYouMean(text, words)}`)
      return undefined
    },
  }
}

/** KEY=VALUE, or KEY alone for an empty value, as labels are written. */
export const keyValue: Value<readonly [string, string]> = {
  metavar: "KEY=VALUE",
  read(text, refuse) {
    const equals = text.indexOf("=")
    const key = equals < 0 ? text : text.slice(0, equals)
    if (key === "") {
      refuse(`${quote(text)} has no key before the "="`)
      return undefined
    }
    return [key, equals < 0 ? "" : text.slice(equals + 1)]
  },
}
