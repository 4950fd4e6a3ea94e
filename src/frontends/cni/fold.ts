// Reading JSON that Go programs wrote. Go's decoder takes keys in any case, so runtimes send what their structures are
// called: containerd's CRI writes "HostPort" where podman writes "hostPort". Unknown keys are somebody else's business.

import { CniError, CODES } from "./cni-error.ts"

/** An object's values by the lower case of their keys; null counts as absent, as in Go. */
export type Folded = ReadonlyMap<string, unknown>

/** One value and where it stood, for messages. */
export interface Found {
  readonly value: unknown
  readonly path: string
}

function wrong({ value, path }: Found, wanted: string): never {
  throw new CniError(CODES.invalidConfig, `Cannot read "${path}": it must be ${wanted}, not ${JSON.stringify(value)}`)
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

export function fold(found: Found): Folded {
  if (found.value === undefined || found.value === null) {
    return new Map()
  }
  if (!isObject(found.value)) {
    return wrong(found, "an object")
  }
  const folded = new Map<string, unknown>()
  for (const [key, value] of Object.entries(found.value)) {
    if (value !== null) {
      folded.set(key.toLowerCase(), value)
    }
  }
  return folded
}

/** @param key as documented; the case of what was sent does not matter. */
export function get(folded: Folded, key: string, parent = ""): Found {
  return { value: folded.get(key.toLowerCase()), path: parent === "" ? key : `${parent}.${key}` }
}

/** Empty text is absent, as for Go. */
export function text(found: Found): string | undefined {
  if (found.value === undefined || found.value === "") {
    return undefined
  }
  return typeof found.value === "string" ? found.value : wrong(found, "text")
}

export function flag(found: Found): boolean | undefined {
  return found.value === undefined || typeof found.value === "boolean" ? found.value : wrong(found, "true or false")
}

/** Zero is absent, as for Go. */
export function count(found: Found): number | undefined {
  if (found.value === undefined || found.value === 0) {
    return undefined
  }
  return typeof found.value === "number" && Number.isInteger(found.value) && found.value > 0
    ? found.value
    : wrong(found, "a whole number")
}

export function list(found: Found): Found[] {
  if (found.value === undefined) {
    return []
  }
  return Array.isArray(found.value)
    ? found.value.map((value: unknown, index) => ({ value, path: `${found.path}[${index}]` }))
    : wrong(found, "a list")
}

export function texts(found: Found): string[] {
  return list(found).flatMap((each) => text(each) ?? [])
}
