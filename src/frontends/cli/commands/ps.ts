import { query } from "../command.ts"

export const command = query({
  summary: "List the containers",
  positionals: {},
  options: { all: { kind: "flag", short: "a", about: "Also those that have ended" } },
  examples: [
    { line: "linkspan ps", about: "What is running" },
    { line: "linkspan ps -a -o json", about: "Everything, for machines" },
    { line: "linkspan rm $(linkspan ps -aq)", about: "Remove whatever has ended; running ones are refused" },
  ],
  request: ({ options }) => ({ all: options.all ?? false }),
  ask: (engine, request) => engine.list(request),
  async show(containers, look) {
    const { containerTable } = await import("../print/container-table.ts")
    return containerTable(containers, look, Date.now())
  },
  names: (containers) => containers.map((container) => container.name),
  whenEmpty: "No containers; start one with: linkspan run, or attach a namespace with: linkspan attach",
})
