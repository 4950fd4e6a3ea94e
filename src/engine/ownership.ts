// A host belongs to one state at a time: two would each put the whole ruleset back without the other's networks. The
// tables in the kernel say whose they are; after a reboot, or when they are gone, the next to load them is their owner.

import { ownTableComment } from "#kernel/foreign-firewall.ts"
import { LinkspanError } from "#model/errors.ts"
import { type Owner, parseOwner } from "#plan/firewall/owner.ts"
import { rulesRevision } from "#plan/firewall/ruleset.ts"
import type { Host } from "./host.ts"

/** Fact, made with the database. */
const STATE_ID = "state-id"

export function ownerOf(host: Host): Owner {
  return { id: host.store.fact(STATE_ID) ?? "", directory: host.stateDir, rules: rulesRevision() }
}

/** Whether tables are loaded, with the rules of another version of linkspan. @param comment theirs */
export function hasFormerRules(host: Host, comment = ownTableComment(host.namespace)): boolean {
  return comment !== undefined && parseOwner(comment)?.rules !== rulesRevision()
}

/** The other state whose tables are loaded; undefined when there is none. @param comment the tables' */
export function otherOwner(host: Host, comment = ownTableComment(host.namespace)): Owner | undefined {
  const owner = comment === undefined ? undefined : parseOwner(comment)
  return owner === undefined || owner.id === host.store.fact(STATE_ID) ? undefined : owner
}

/** Before anything is changed. @throws LinkspanError HOST_IN_USE */
export function refuseOtherOwner(host: Host, comment = ownTableComment(host.namespace)): void {
  const other = otherOwner(host, comment)
  if (other !== undefined) {
    throw new LinkspanError("HOST_IN_USE", {
      message: `Cannot use state "${host.stateDir}" here: the networks of this host belong to the one in "${other.directory}" (${other.id})`,
      hint: `Use that one (--state-dir ${other.directory}), or another network namespace as the host; if it is lost, run: linkspan reconcile --take-over`,
      details: { state: other.id, directory: other.directory },
    })
  }
}
