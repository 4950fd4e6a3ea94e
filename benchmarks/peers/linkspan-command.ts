// linkspan as a user or a runtime calls it: one process an attach, one a detach.

import { CONTAINER_PORT, type Contender, hostPort, type Start } from "../contender.ts"
import { run, timed } from "../lab.ts"

/** @param program what stands before "attach" on the command line */
export function startCommand(program: readonly string[]): Start {
  return async ({ dir, namespaces }) => {
    const env = { LINKSPAN_STATE_DIR: dir, LINKSPAN_DNS: "off" }
    await timed({ cmd: [...program, "network", "create", "bench", "--subnet", "10.76.0.0/16"], env })
    const contender: Contender = {
      version: (await run(...program, "--version")).trim(),
      async attach(n) {
        const publish = `${hostPort(n)}:${CONTAINER_PORT}`
        const netns = namespaces[n] ?? ""
        const args = ["attach", `c${n}`, "--netns", netns, "--network", "bench", "-p", publish]
        return (await timed({ cmd: [...program, ...args], env })).ms
      },
      detach: async (n) => (await timed({ cmd: [...program, "detach", `c${n}`], env })).ms,
      async close() {},
    }
    return contender
  }
}
