import { act } from "../command.ts"

export const command = act({
  summary: "See the whole thing work, in a private host that leaves nothing behind",
  description: [
    "Two networks and three containers in a namespace of their own: traffic through the bridge, out through NAT, in through a published port, and one attempt that isolation refuses. Without root it tries a user namespace.",
  ],
  positionals: {},
  options: {},
  examples: [{ line: "linkspan demo", about: "Takes a few seconds" }],
  request: () => undefined,
  act(session) {
    const { json, debug } = session.globals
    return session.world.demo({ colour: session.look().colour, json, debug })
  },
})
