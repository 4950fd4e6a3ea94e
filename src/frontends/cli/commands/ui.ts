import { act } from "../command.ts"
import { plain } from "../print/look.ts"
import { text } from "../value.ts"

export const command = act({
  summary: "Show the living picture of this host in a browser",
  description: [
    "Serves a page to this machine's browsers for as long as it runs, and prints its address: namespaces, cables, bridges and published ports as the kernel has them, traffic, and the way of a packet. The address holds the token that lets one in.",
    "From another machine: ssh -L 8086:127.0.0.1:8086 HOST linkspan ui --listen 127.0.0.1:8086",
  ],
  positionals: {},
  options: {
    listen: {
      kind: "one",
      value: text("ADDRESS:PORT"),
      about: "A loopback address and a port, or the path of a unix socket (default: a free port of 127.0.0.1)",
    },
  },
  examples: [{ line: "linkspan ui", about: "Open the address that it prints" }],
  request: ({ options }) => (options.listen === undefined ? {} : { listen: options.listen }),
  async act(session, options) {
    const linkspan = await session.engine()
    await using page = await session.world.ui(linkspan, options)
    await session.printLines([plain(page.address)])
    const signal = session.world.stopSignal()
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
    }
    return 0
  },
})
