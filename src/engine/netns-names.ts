// Where a container's namespace is, for people: the path that nsenter takes.

import { NETNS_DIRECTORY } from "#kernel/netns-pin.ts"
import type { Sandbox } from "#model/sandbox.ts"

export function netnsPath({ place }: Sandbox): string | undefined {
  if (place === undefined) {
    return undefined
  }
  const path = place.kind === "path" ? place.path : `/proc/${place.pid}/ns/net`
  return path.startsWith(`${NETNS_DIRECTORY}/`) ? path.slice(NETNS_DIRECTORY.length + 1) : path
}
