// Tells the daemon that something has changed, and waits until its names are in force; starts it when it is needed and
// not there. Whatever goes wrong here is a warning: the change itself is done.

import { askServer } from "#kernel/unix-call.ts"
import { dnsOf } from "#model/dns.ts"
import type { Change } from "#store/journal.ts"
import type { Host } from "../host.ts"
import { DONE, LOG, type Request, SOCKET } from "./address.ts"
import { startDaemon } from "./start.ts"

/** The daemon reads the store and opens a few sockets; more time than this means that something is wrong with it. */
const ANSWER_MS = 5000
/** It may be ending just now. */
const ATTEMPTS = 3

/** @returns what the user should know, when names are not in force. */
export function announce(host: Host, changes: readonly Change[]): string | undefined {
  if (!host.names || !changes.some((change) => concernsNames(host, change))) {
    return undefined
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (ask(host, "sync")) {
      return undefined
    }
    if (!changes.some((change) => asksHere(host, change, changes)) || !host.store.hasAskers()) {
      return undefined
    }
    try {
      if (startDaemon(host)) {
        return undefined
      }
    } catch (error) {
      return `Names are not answered: the name daemon cannot be started: ${(error as Error).message}`
    }
  }
  return `Names are not answered: the name daemon does not answer; see ${host.runDir}/${LOG}`
}

/** Whether the daemon is there and has done it. */
export function ask(host: Pick<Host, "runDir">, line: Request): boolean {
  return askServer(host.runDir, SOCKET, { line, timeoutMs: ANSWER_MS })?.trim() === DONE
}

function concernsNames(host: Host, change: Change): boolean {
  switch (change.object) {
    case "network":
      // A network that is made or removed has no members.
      return change.before !== undefined && change.after !== undefined
    case "endpoint": {
      const id = (change.after ?? change.before)?.network
      const network = id === undefined ? undefined : host.store.network(id)?.body
      return network !== undefined && dnsOf(network).enabled
    }
    case "sandbox":
      return false
  }
}

/** False where other programs' containers join or leave networks about which they ask others: no daemon is needed for that. */
function asksHere(host: Host, change: Change, changes: readonly Change[]): boolean {
  if (change.object !== "endpoint") {
    return true
  }
  const endpoint = change.after ?? change.before
  const network = endpoint === undefined ? undefined : host.store.network(endpoint.network)?.body
  return network === undefined || dnsOf(network).elsewhere !== true || !asksElsewhere(host, endpoint?.sandbox, changes)
}

/** Also of a container that has gone with the change. */
function asksElsewhere(host: Host, id: string | undefined, changes: readonly Change[]): boolean {
  const gone = changes.find((change) => change.object === "sandbox" && change.id === id)?.before
  const sandbox = id === undefined ? undefined : (host.store.sandbox(id)?.body ?? gone)
  return sandbox !== undefined && "asksElsewhere" in sandbox
}
