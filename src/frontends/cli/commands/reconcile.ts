import { change } from "../command.ts"
import { plain } from "../print/look.ts"

/** Not a failure of the command, and yet scripts must see it. */
const PROBLEMS_LEFT = 1

export const command = change({
  summary: "Compare what should be with what the kernel has, and repair it",
  description: [
    "After a reboot, a flushed ruleset, a deleted bridge. Exit status 1 when something could not be repaired.",
  ],
  positionals: {},
  options: {
    "take-over": {
      kind: "flag",
      about: "When the host's networks belong to another state that is lost: be their owner",
    },
  },
  examples: [
    { line: "linkspan reconcile", about: "Repair" },
    { line: "linkspan reconcile --dry-run", about: "Only say what is wrong, as the lines that would repair it" },
  ],
  request: ({ options }) => ({ takeOver: options["take-over"] ?? false }),
  async change(engine, { takeOver }, options) {
    const { repairs, problems, plan, dryRun } = await engine.reconcile({ ...options, takeOver })
    return { result: { repairs, problems }, plan, dryRun, warnings: problems }
  },
  show: ({ repairs, problems }) =>
    repairs.length > 0
      ? repairs.map((repair) => `${plain(repair)}\n`).join("")
      : problems.length > 0
        ? ""
        : "Everything is as it should be\n",
  status: ({ problems }) => (problems.length > 0 ? PROBLEMS_LEFT : 0),
})
