import { act } from "../command.ts"
import { integer, text } from "../value.ts"

export const command = act({
  summary: "Print what a detached container wrote",
  positionals: { container: { kind: "required", value: text("CONTAINER", "container") } },
  options: {
    follow: { kind: "flag", short: "f", about: "Go on until the container ends" },
    tail: {
      kind: "one",
      short: "n",
      value: integer("LINES", { min: 0, max: 1_000_000_000 }),
      about: "Only this many lines from the end",
    },
  },
  examples: [
    { line: "linkspan logs api", about: "Everything so far" },
    { line: "linkspan logs -f -n 20 api", about: "The last twenty lines and whatever comes" },
  ],
  request: ({ positionals, options }) => ({
    container: positionals.container,
    options: { follow: options.follow ?? false, ...(options.tail === undefined ? {} : { tail: options.tail }) },
  }),
  origins: () => ({ container: "CONTAINER", tail: "--tail" }),
  async act(session, { container, options }) {
    const engine = await session.engine()
    for await (const bytes of engine.logs(container, { ...options, signal: await session.world.unread() })) {
      if (!(await session.world.out(bytes))) {
        break
      }
    }
    return 0
  },
})
