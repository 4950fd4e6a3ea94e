// The host's side of a publication: at which of the host's addresses its ports are.

import { type Family, family, type Ip, isUnspecified } from "#inet/ip.ts"
import type { Publication } from "./sandbox.ts"

/** The families at which a publication listens, as far as its host address says. */
export function publishedFamilies(publication: Pick<Publication, "hostIp">): readonly Family[] {
  return publication.hostIp === undefined ? [4, 6] : [family(publication.hostIp)]
}

/** Whether two publications of one port would both be met at some address of the host. Absent: every address. */
export function hostAddressesOverlap(a: Ip | undefined, b: Ip | undefined): boolean {
  if (a === undefined || b === undefined) {
    return true
  }
  return a === b || (family(a) === family(b) && (isUnspecified(a) || isUnspecified(b)))
}
