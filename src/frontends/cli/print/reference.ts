// docs/cli.md and docs/errors.md, read off the same tables that the program runs by.

import { ERROR_CODES } from "#model/errors.ts"
import type { Command, Options } from "../command.ts"
import { ENVIRONMENT_VARIABLES, GLOBAL_OPTIONS } from "../globals.ts"
import { ownOptions } from "../grammar.ts"
import { OUTPUT_FAILED } from "../report.ts"
import { type Entry, type Group, spellings, visibleEntries } from "../table.ts"
import { optionAbout, optionUsage, usage } from "./usage.ts"

const GENERATED =
  "<!-- Generated from the command table: LINKSPAN_UPDATE_DOCS=1 bun test src/frontends/cli/docs.test.ts -->"

export async function cliReference(commands: readonly Group[]): Promise<string> {
  const sections = await Promise.all(commands.map(groupSection))
  return [
    "# The command line",
    GENERATED,
    "`linkspan help COMMAND` says the same on a terminal.",
    contents(commands),
    ...sections,
    "## Global options",
    "Understood by every command, before its name or behind it.",
    optionTable(GLOBAL_OPTIONS),
    "## Environment variables",
    table(
      ["Variable", "Meaning"],
      Object.entries(ENVIRONMENT_VARIABLES).map(([name, about]) => [`\`${name}\``, about]),
    ),
    "A variable that is set but cannot be read is refused rather than ignored.",
    ...OUTPUT,
  ]
    .map((paragraph) => `${paragraph}\n`)
    .join("\n")
}

const OUTPUT = [
  "## Output",
  "Results go to stdout and nothing else does: what was made, what was asked for, or with `--dry-run` the plan. Warnings, progress (on a terminal, when a change takes long) and errors go to stderr.",
  'With `-o json` the result is one JSON value on stdout; commands that take several targets give a list. A dry run gives `{"dryRun": true, "plan": […], "warnings": […]}`. Each warning and each error is an object on a line of its own on stderr: `{"warning": {"message": …}}`, `{"error": {"code", "message", "hint", "issues", "details"}}`.',
  "The exit status says how it went: see [errors.md](errors.md). `run` in the foreground and `exec` end with the status of their command, 128 + *n* when signal *n* ended it.",
]

export function errorReference(): string {
  const codes = Object.entries(ERROR_CODES).map(([code, { exit, http, retry, summary }]) => [
    `\`${code}\``,
    String(exit),
    String(http),
    retry ? "yes" : "no",
    summary,
  ])
  return [
    "# Errors",
    "<!-- Generated from src/model/errors.ts: LINKSPAN_UPDATE_DOCS=1 bun test src/frontends/cli/docs.test.ts -->",
    "Every failure has a code, the same through every door. When an error is given nothing has changed, unless its summary says otherwise. *Exit* is the command line's status, *HTTP* the API's; *retry* says whether the very same call may succeed later.",
    table(["Code", "Exit", "HTTP", "Retry", "Meaning"], codes),
    "## Other exit statuses of the command line",
    table(
      ["Status", "Meaning"],
      [
        ["0", "Done"],
        ["1", "`reconcile`: something could not be repaired"],
        [String(OUTPUT_FAILED.exit), `\`${OUTPUT_FAILED.code}\`: ${OUTPUT_FAILED.summary}`],
        ["any", "`run` in the foreground and `exec`: the status of the command, 128 + *n* when signal *n* ended it"],
      ],
    ),
    "When several targets of one command fail, each error is written, and the status is that of the first.",
  ]
    .map((paragraph) => `${paragraph}\n`)
    .join("\n")
}

function contents(commands: readonly Group[]): string {
  return commands
    .map(
      (group) =>
        `- ${group.title}: ${visibleEntries([group])
          .map(({ words }) => `[${words}](#${anchor(words)})`)
          .join(", ")}`,
    )
    .join("\n")
}

/** As GitHub makes anchors from headings. */
function anchor(words: string): string {
  return `linkspan-${words.replaceAll(" ", "-")}`
}

async function groupSection(group: Group): Promise<string> {
  const entries = await Promise.all(
    visibleEntries([group]).map(async (entry) => commandSection(entry, (await entry.load()).command)),
  )
  return [`## ${group.title}`, `${group.about}.`, ...entries].join("\n\n")
}

function commandSection(entry: Entry, command: Command): string {
  const [, ...others] = spellings(entry)
  const examples = command.examples.flatMap(({ line, about }) => [`# ${about}`, line])
  return [
    `### linkspan ${entry.words}`,
    `${command.summary}.${others.length === 0 ? "" : ` Also written ${others.map((words) => `\`linkspan ${words}\``).join(", ")}.`}`,
    `    ${usage(entry, command)}`,
    ...(command.description ?? []),
    ...(Object.keys(ownOptions(command)).length === 0 ? [] : [optionTable(ownOptions(command))]),
    ...(examples.length === 0 ? [] : [`\`\`\`sh\n${examples.join("\n")}\n\`\`\``]),
  ].join("\n\n")
}

function optionTable(options: Options): string {
  return table(
    ["Option", "Meaning"],
    Object.entries(options).map(([key, option]) => [`\`${optionUsage(key, option).trim()}\``, optionAbout(option)]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
}
