import { query } from "../command.ts"

export const command = query({
  summary: "Show who answers names, and what became of the questions",
  positionals: {},
  options: {},
  examples: [{ line: "linkspan dns status -o json", about: "The counters, for machines" }],
  request: () => undefined,
  ask: async (engine) => (await engine.names.status()) ?? null,
  async show(status, look) {
    const { nameStatusText } = await import("../print/name-status.ts")
    return nameStatusText(status, look)
  },
})
