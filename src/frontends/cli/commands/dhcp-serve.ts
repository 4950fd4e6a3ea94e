import { act } from "../command.ts"
import { plain } from "../print/look.ts"

export const command = act({
  summary: "Renew what DHCP servers have lent to containers, in the foreground",
  description: [
    "No command of yours: linkspan starts it by itself when a container gets its first address from a DHCP server, and it ends with the last; where the resident process runs (linkspan daemon), that does the same and this is not needed.",
    "It writes to standard error; one that was started by itself to leases.log in the run directory.",
  ],
  positionals: {},
  options: {
    "on-demand": { kind: "flag", about: "End when nothing is lent" },
  },
  examples: [{ line: "linkspan dhcp serve", about: "Watch it at work" }],
  request: ({ options }) => (options["on-demand"] === true ? { idleMs: IDLE_MS } : {}),
  async act(session, options) {
    const engine = await session.engine()
    const log = (line: string): void => session.world.err(plain(line))
    await engine.leases.keep({ ...options, log, signal: session.world.stopSignal() })
    return 0
  },
})

/** Containers are often made anew as soon as they have ended. */
const IDLE_MS = 2000
