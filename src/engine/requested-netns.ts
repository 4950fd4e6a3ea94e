// The network namespace that a request names: opened, and how it is found again.

import { exists } from "#kernel/file.ts"
import { Netns } from "#kernel/netns.ts"
import { NETNS_DIRECTORY } from "#kernel/netns-pin.ts"
import { startTimeOf } from "#kernel/process.ts"
import { LinkspanError } from "#model/errors.ts"
import type { NetnsRequest } from "#model/request.ts"
import type { NetnsPlace } from "#model/sandbox.ts"

/** Opens it, or makes a new one. The caller owns it. @throws LinkspanError NETNS_NOT_FOUND, NETNS_EXISTS */
export function openRequested(title: string, netns: NetnsRequest): Netns {
  switch (netns.kind) {
    case "path":
      return Netns.open(netns.path)
    case "pid":
      return Netns.ofPid(netns.pid)
    case "new":
      if (exists(`${NETNS_DIRECTORY}/${netns.name}`)) {
        throw new LinkspanError("NETNS_EXISTS", {
          message: `Cannot ${title}: there is a network namespace "${netns.name}" already`,
          hint: `Attach it with --netns ${NETNS_DIRECTORY}/${netns.name}, or choose another name`,
        })
      }
      return Netns.create()
  }
}

/** Where to find it again. */
export function placeOf(netns: NetnsRequest): NetnsPlace {
  switch (netns.kind) {
    case "path":
      return { kind: "path", path: netns.path }
    case "pid":
      return { kind: "pid", pid: netns.pid, startTime: startTimeOf(netns.pid) ?? "" }
    case "new":
      return { kind: "path", path: `${NETNS_DIRECTORY}/${netns.name}` }
  }
}
