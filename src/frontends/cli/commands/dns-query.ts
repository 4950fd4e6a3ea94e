import { RECORD_TYPES } from "#model/validate-name-query.ts"
import { query } from "../command.ts"
import { text } from "../value.ts"

export const command = query({
  summary: "Show what a container is told about a name, by whom and why",
  description: ["An address in place of a name asks for the name that it has."],
  positionals: { name: { kind: "required", value: text("NAME") } },
  options: {
    from: { kind: "one", value: text("CONTAINER", "container"), about: "The container that asks" },
    type: {
      kind: "one",
      short: "t",
      value: text("TYPE", { words: RECORD_TYPES }),
      about: "Type of the records (default A; PTR for an address)",
    },
  },
  examples: [
    { line: "linkspan dns query api --from web-1", about: "Where web-1 finds api" },
    { line: "linkspan dns query www.example.org --type AAAA --from web-1 -o json", about: "For machines" },
  ],
  request: ({ positionals, options }, refuse) => {
    if (options.from === undefined) {
      refuse("--from", "is missing: what a name means depends on who asks")
    }
    return {
      name: positionals.name,
      from: options.from ?? "x",
      ...(options.type === undefined ? {} : { type: options.type.toUpperCase() }),
    }
  },
  check: async (request) => (await import("#model/validate-name-query.ts")).checkNameQuery(request).issues,
  origins: () => ({ name: "NAME", from: "--from", type: "--type" }),
  ask: (engine, request) => engine.names.query(request),
  async show(answer, look) {
    const { answerText } = await import("../print/name-answer.ts")
    return answerText(answer, look)
  },
})
