// One namespace is one container, and the host's own is none.

import { LinkspanError } from "#model/errors.ts"
import type { Host } from "./host.ts"

/** @param cookie of a namespace that is to become a container. @throws LinkspanError INVALID_REQUEST, NAME_IN_USE */
export function refuseKnownNetns(host: Host, title: string, cookie: string): void {
  if (cookie === host.namespace.netns.cookie().toString()) {
    throw new LinkspanError("INVALID_REQUEST", {
      message: `Cannot ${title}: that is the host's own network namespace`,
      issues: [{ path: "netns", message: "is the host's own network namespace" }],
    })
  }
  const known = host.store.sandboxesByNetns(cookie).find(({ body }) => body.netns?.bootId === host.bootId)
  if (known !== undefined) {
    throw new LinkspanError("NAME_IN_USE", {
      message: `Cannot ${title}: that network namespace is attached already, as container "${known.body.name}"`,
      hint: `Connect it to further networks with: linkspan network connect NETWORK ${known.body.name}`,
    })
  }
}
