// Readers for names, interface names, host names, labels and paths.

import { childField, type Field, readPlainObject, readText, refuse } from "./field.ts"
import {
  type Id,
  IFNAME_RULE,
  type Ifname,
  isHostname,
  isId,
  isLabelKey,
  isName,
  NAME_RULE,
  parseIfname,
} from "./name.ts"
import { quote } from "./quote.ts"

/** A name to give to something, or one (or an id) to find something by: the same rule holds. */
export function readName(field: Field): string | undefined {
  const text = readText(field)
  return text === undefined || isName(text) ? text : refuse(field, `${quote(text)} is not a name: use ${NAME_RULE}`)
}

export function readId(field: Field): Id | undefined {
  const text = readText(field)
  return text === undefined || isId(text)
    ? text
    : refuse(field, `${quote(text)} is not an id: use twelve hexadecimal digits, small letters`)
}

export function readIfname(field: Field): Ifname | undefined {
  const text = readText(field)
  if (text === undefined) {
    return undefined
  }
  if (text === "lo") {
    return refuse(field, `"lo" is the loopback interface of every network namespace; choose another name`)
  }
  return (
    parseIfname(text) ??
    refuse(field, `${quote(text)} is not an interface name: use ${IFNAME_RULE}, other than "all" and "default"`)
  )
}

/** Three digits must fit behind it: IFNAMSIZ is 16 with the final NUL. */
const LONGEST_IFNAME_PREFIX = 12

/** "eth" for eth0, eth1, … */
export function readIfnamePrefix(field: Field): string | undefined {
  const text = readText(field)
  if (text === undefined) {
    return undefined
  }
  return text.length > 0 && text.length <= LONGEST_IFNAME_PREFIX && parseIfname(`${text}0`) !== undefined
    ? text
    : refuse(
        field,
        `${quote(text)} cannot begin an interface name: use 1 to ${LONGEST_IFNAME_PREFIX} letters, digits, '_', '.' or '-'; a number is put behind it`,
      )
}

export function readHostname(field: Field): string | undefined {
  const text = readText(field)
  return text === undefined || isHostname(text)
    ? text
    : refuse(
        field,
        `${quote(text)} is not a host name: use up to 63 letters, digits, '-' and '.', each part beginning and ending with a letter or digit`,
      )
}

const MOST_LABELS = 256
const LONGEST_LABEL = 4096

export function readLabels(field: Field): Readonly<Record<string, string>> | undefined {
  const object = readPlainObject(field)
  if (object === undefined) {
    return undefined
  }
  const keys = Object.keys(object)
  if (keys.length > MOST_LABELS) {
    return refuse(field, `has ${keys.length} labels; at most ${MOST_LABELS} are allowed`)
  }
  const labels = keys.map((key) => {
    checkLabelKey(field, key)
    return [key, readText(childField(field, key, object[key]), LONGEST_LABEL) ?? ""] as const
  })
  return Object.fromEntries(labels)
}

export function readLabelKey(field: Field): string | undefined {
  const text = readText(field)
  return text !== undefined && checkLabelKey(field, text) ? text : undefined
}

function checkLabelKey(field: Field, key: string): boolean {
  if (isLabelKey(key)) {
    return true
  }
  refuse(field, `${quote(key)} is not a label's key: use 1 to 255 printable ASCII characters without '=' or blanks`)
  return false
}

/** PATH_MAX is 4096 with the final NUL. */
const LONGEST_PATH = 4095

/** Relative paths are the front doors' business: only they have a working directory. */
export function readPath(field: Field): string | undefined {
  const text = readText(field, LONGEST_PATH)
  return text === undefined || text.startsWith("/")
    ? text
    : refuse(field, `${quote(text)} is not an absolute path; begin it with "/"`)
}
