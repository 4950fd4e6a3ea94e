import { query } from "../command.ts"

export const command = query({
  summary: "List the names that are answered",
  positionals: {},
  options: {},
  examples: [{ line: "linkspan dns records", about: "Names of all networks, and those that single containers have" }],
  request: () => undefined,
  ask: (engine) => engine.names.records(),
  async show(records, look) {
    const { recordTable } = await import("../print/record-table.ts")
    return recordTable(records, look)
  },
  names: (records) => [...new Set(records.map((record) => record.name))],
  whenEmpty: "No names are answered: no container is on a network with names",
})
