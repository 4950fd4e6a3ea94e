import { VERSION } from "#model/version.ts"
import { act } from "../command.ts"

export const command = act({
  summary: "Show which linkspan this is",
  positionals: {},
  options: {},
  examples: [{ line: "linkspan version -o json", about: "For machines" }],
  request: () => undefined,
  async act(session) {
    const version = { linkspan: VERSION, bun: Bun.version }
    await (session.globals.json
      ? session.printJson(version)
      : session.printLines([`linkspan ${version.linkspan} (Bun ${version.bun})`]))
    return 0
  },
})
