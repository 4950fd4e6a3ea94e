import { query } from "../command.ts"

/** Not a failure of the command, and yet scripts must see it. */
const ERRORS_FOUND = 1

export const command = query({
  summary: "Check the host and every network, by trying",
  description: [
    "Reads and probes what linkspan needs of the host, then has two containers of its own join every network for a moment: a datagram must arrive, and one under a false address must be refused (where containers may not talk to each other, a connection too), over IPv4 and IPv6. Nothing is called refused that was not watched being refused. Exit status 1 when an error is found; docs/watch.md lists the checks.",
  ],
  positionals: {},
  options: {
    fix: { kind: "flag", about: "Repair what is linkspan's first: linkspan reconcile, and leftover interfaces" },
    canaries: { kind: "flag", negatable: true, about: "Whether to join every network and try it (the default)" },
    bundle: {
      kind: "flag",
      about: "Print everything that a bug report needs as one JSON object; without labels, command lines and logs",
    },
  },
  examples: [
    { line: "linkspan doctor", about: "What is wrong, and what to type" },
    { line: "linkspan doctor --bundle > report.json", about: "For a bug report" },
  ],
  request: ({ options: { fix, canaries, bundle } }) => ({
    fix: fix ?? false,
    canaries: canaries ?? true,
    bundle: bundle ?? false,
  }),
  origins: () => ({ fix: "--fix", canaries: "--canaries", bundle: "--bundle" }),
  ask: (engine, request) => engine.doctor(request),
  status: ({ findings }) => (findings.some(({ level }) => level === "error") ? ERRORS_FOUND : 0),
  async show(diagnosis, look) {
    if (diagnosis.bundle !== undefined) {
      return `${JSON.stringify(diagnosis, null, 2)}\n`
    }
    const { diagnosisText } = await import("../print/diagnosis.ts")
    return diagnosisText(diagnosis, look)
  },
})
