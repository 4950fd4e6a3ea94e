// --env and --env-file: what a started process finds in its environment.

import { quote } from "#model/quote.ts"
import type { Given, Options, Positionals, RefuseAt } from "../command.ts"
import { text } from "../value.ts"
import type { World } from "../world.ts"

export const ENVIRONMENT = {
  env: {
    kind: "many",
    short: "e",
    value: text("KEY[=VALUE]"),
    about: "Set an environment variable; without a value it is taken from linkspan's own environment",
  },
  "env-file": {
    kind: "many",
    value: text("FILE", "file"),
    about: "Read environment variables from a file of KEY=VALUE lines",
  },
} as const satisfies Options

type EnvironmentValues = Given<typeof ENVIRONMENT, Positionals>["options"]

/** Files first, in order, then --env: the nearer to the command, the stronger. */
export async function readEnvironment(
  options: EnvironmentValues,
  world: Pick<World, "env" | "readText">,
  refuse: RefuseAt,
): Promise<{ readonly env?: Readonly<Record<string, string>> }> {
  const lines: { readonly path: string; readonly line: string }[] = []
  for (const file of options["env-file"]) {
    try {
      const text = await world.readText(file)
      lines.push(...text.split(/\r?\n/).map((line, i) => ({ path: `--env-file ${file}:${i + 1}`, line })))
    } catch (error) {
      refuse("--env-file", `cannot read ${quote(file)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  // Blank lines and comments are the file's own.
  const assignments = [
    ...lines.filter(({ line }) => !/^\s*(#|$)/.test(line)),
    ...options.env.map((line) => ({ path: "--env", line })),
  ]
  const env = assignments.flatMap(({ path, line }) => readAssignment(line, path, world, refuse))
  return env.length === 0 ? {} : { env: Object.fromEntries(env) }
}

function readAssignment(line: string, path: string, world: Pick<World, "env">, refuse: RefuseAt): [string, string][] {
  const equals = line.indexOf("=")
  const key = equals < 0 ? line : line.slice(0, equals)
  if (!/^[^\s=\0]+$/.test(key)) {
    refuse(path, `${quote(line)} has no name that a variable can have`)
    return []
  }
  if (equals >= 0) {
    return [[key, line.slice(equals + 1)]]
  }
  const value = world.env[key]
  return value === undefined ? [] : [[key, value]]
}
