import { DAEMON_BYTE } from "#store/locks.ts"
import type { Host } from "../host.ts"
import { ask } from "./announce.ts"

/** Ends the daemon and waits until it has let go of everything. False when there was none. */
export function stopNames(host: Host): boolean {
  if (host.locks.lock(DAEMON_BYTE, "exclusive", false)) {
    host.locks.unlock(DAEMON_BYTE)
    return false
  }
  ask(host, "stop")
  host.locks.lock(DAEMON_BYTE, "exclusive", true)
  host.locks.unlock(DAEMON_BYTE)
  return true
}
