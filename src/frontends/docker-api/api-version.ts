// Which version of Docker's API a request is made in. Clients ask /_ping, then write the version into every path.

import { Refusal } from "./refusal.ts"

/** Compared part by part: 1.9 is older than 1.50. */
export interface ApiVersion {
  readonly major: number
  readonly minor: number
}

/** 1.52 brought the addresses' state into a network's inspection, which is the newest thing here. */
export const CURRENT_VERSION = "1.52"
/** What the oldest clients that ask at all can speak; shapes have only ever grown since. */
export const MINIMUM_VERSION = "1.24"

const CURRENT = parse(CURRENT_VERSION) as ApiVersion
const MINIMUM = parse(MINIMUM_VERSION) as ApiVersion

/** @param text as it stands in the path; undefined when it names none. @throws Refusal 400 */
export function requestedVersion(text: string | undefined): ApiVersion {
  if (text === undefined) {
    return CURRENT
  }
  const version = parse(text)
  if (version === undefined || compare(version, MINIMUM) < 0) {
    throw new Refusal(
      400,
      `client version ${text} is too old. Minimum supported API version is ${MINIMUM_VERSION}, please upgrade your client to a newer version`,
    )
  }
  if (compare(version, CURRENT) > 0) {
    throw new Refusal(400, `client version ${text} is too new. Maximum supported API version is ${CURRENT_VERSION}`)
  }
  return version
}

export function isAtLeast(version: ApiVersion, minor: number): boolean {
  return compare(version, { major: 1, minor }) >= 0
}

function parse(text: string): ApiVersion | undefined {
  const [, major, minor] = /^([0-9]{1,4})\.([0-9]{1,4})$/.exec(text) ?? []
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) }
}

function compare(a: ApiVersion, b: ApiVersion): number {
  return a.major - b.major || a.minor - b.minor
}
