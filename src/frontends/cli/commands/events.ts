import { act } from "../command.ts"
import { integer } from "../value.ts"

export const command = act({
  summary: "Show what has happened, and what happens",
  description: [
    "Containers that came and went, networks, published ports; while linkspan daemon runs also what somebody damaged and was healed, links that went down, and packets that were refused. Every command writes down what it did, so nothing else has to run. The last 10,000 are kept.",
    "Each line has a number: --since goes on behind it. With -o json every line is an object.",
  ],
  positionals: {},
  options: {
    follow: { kind: "flag", short: "f", about: "Go on with what comes" },
    since: {
      kind: "one",
      value: integer("CURSOR", { min: 0, max: Number.MAX_SAFE_INTEGER }),
      about: "Only what came after the event of that number",
    },
    tail: {
      kind: "one",
      short: "n",
      value: integer("LINES", { min: 0, max: 1_000_000_000 }),
      about: "Only this many from the end",
    },
  },
  examples: [
    { line: "linkspan events -f -n 10", about: "The last ten and whatever comes" },
    { line: "linkspan events -f --since 4711 -o json", about: "Go on from where a program had stopped" },
  ],
  request: ({ options: { follow, since, tail } }) => ({
    follow: follow ?? false,
    ...(since === undefined ? {} : { since }),
    ...(tail === undefined ? {} : { tail }),
  }),
  origins: () => ({ since: "--since", tail: "--tail", follow: "--follow" }),
  async act(session, request) {
    const engine = await session.engine()
    const { eventLine } = await import("../print/event-line.ts")
    const look = session.look()
    for await (const event of engine.events(request, { signal: await session.world.unread() })) {
      const line = session.globals.json ? `${JSON.stringify(event)}\n` : eventLine(event, look)
      if (!(await session.world.out(line))) {
        break
      }
    }
    return 0
  },
})
