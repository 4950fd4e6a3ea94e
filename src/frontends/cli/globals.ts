// The options that every command understands, and the environment variables that stand for some of them.

import type { LinkspanOptions } from "#engine/linkspan.ts"
import type { Issue } from "#model/errors.ts"
import { quote } from "#model/quote.ts"
import type { LooselyGiven, Options, OptionValue } from "./command.ts"
import { oneOf, text } from "./value.ts"

export const GLOBAL_OPTIONS = {
  output: {
    kind: "one",
    short: "o",
    value: oneOf("FORMAT", ["table", "json"]),
    about: "How results and errors are written: table (the default) or json",
  },
  quiet: { kind: "flag", short: "q", about: "No warnings, no progress; listings print names only" },
  debug: {
    kind: "flag",
    about: "Print every netlink message and nft transaction, decoded, and the stack of an internal error",
  },
  "no-color": { kind: "flag", aliases: ["no-colour"], about: "No colours, as with the environment variable NO_COLOR" },
  "state-dir": {
    kind: "one",
    value: text("DIR", "directory"),
    about: "Where the database lives (default $LINKSPAN_STATE_DIR, else /var/lib/linkspan)",
  },
  "run-dir": {
    kind: "one",
    value: text("DIR", "directory"),
    about: "Where logs live (default $LINKSPAN_RUN_DIR, else /run/linkspan, or below --state-dir)",
  },
  "host-netns": {
    kind: "one",
    value: text("PATH", "file"),
    about: "The network namespace that plays the host (default $LINKSPAN_HOST_NETNS, else this process's own)",
  },
  help: { kind: "flag", short: "h", about: "Show what the command does and how it is written" },
} as const satisfies Options

/** For scripts and services; an option of the same meaning wins. */
export const ENVIRONMENT_VARIABLES = {
  LINKSPAN_STATE_DIR: "The directory of the database, an absolute path (--state-dir)",
  LINKSPAN_RUN_DIR: "The directory of logs, an absolute path (--run-dir)",
  LINKSPAN_HOST_NETNS: "The network namespace that plays the host, an absolute path (--host-netns)",
  LINKSPAN_POOLS: "Where subnets are picked from: ADDRESS/LENGTH/SIZE-OF-ONE-SUBNET, with commas between",
  LINKSPAN_DNS: "off: no names are answered for what this command makes, and no daemon is started for it",
  LINKSPAN_RESIDENT: "off: no resident process is left behind for later commands (linkspan daemon)",
  NO_COLOR: "No colours, when set to anything but nothing",
} as const

/** Added to every command that changes something. */
export const DRY_RUN = {
  "dry-run": {
    kind: "flag",
    about: "Change nothing; print the plan as the ip and nft lines that an expert would type",
  },
} as const satisfies Options

export interface Globals {
  readonly json: boolean
  readonly quiet: boolean
  readonly debug: boolean
  readonly noColour: boolean
  readonly help: boolean
  readonly dryRun: boolean
  readonly engine: LinkspanOptions
}

type Values = {
  readonly [K in keyof typeof GLOBAL_OPTIONS | "dry-run"]?: OptionValue<(typeof GLOBAL_OPTIONS & typeof DRY_RUN)[K]>
}

/** What was found in every place where global options may stand; the later place wins. */
export function readGlobals(
  places: readonly LooselyGiven[],
  world: { readonly env: Readonly<Record<string, string | undefined>>; readonly directory: string },
  issues: Issue[],
): Globals {
  // Parsing read these options by the tables above, which is what the type is made from.
  const values = Object.assign({}, ...places.map((given) => present(given.options))) as Values
  const stateDir =
    directory(values["state-dir"], world.directory) ?? environmentPath("LINKSPAN_STATE_DIR", world.env, issues)
  const runDir = directory(values["run-dir"], world.directory) ?? environmentPath("LINKSPAN_RUN_DIR", world.env, issues)
  const hostNetns =
    netnsPath(values["host-netns"], world.directory) ?? environmentPath("LINKSPAN_HOST_NETNS", world.env, issues)
  environmentSwitch("LINKSPAN_RESIDENT", world.env, issues)
  const pools = environmentPools(world.env["LINKSPAN_POOLS"], issues)
  return {
    json: values.output === "json",
    quiet: values.quiet ?? false,
    debug: values.debug ?? false,
    noColour: values["no-color"] ?? (world.env["NO_COLOR"] ?? "") !== "",
    help: values.help ?? false,
    dryRun: values["dry-run"] ?? false,
    engine: {
      ...(stateDir === undefined ? {} : { stateDir }),
      ...(runDir === undefined ? {} : { runDir }),
      ...(hostNetns === undefined ? {} : { hostNetns }),
      ...(pools === undefined ? {} : { pools }),
      ...(environmentSwitch("LINKSPAN_DNS", world.env, issues) ? {} : { names: false }),
    },
  }
}

function present(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** Only here there is a directory that a relative path can start from. */
export function absolute(path: string, base: string): string {
  return path.startsWith("/") ? path : `${base}/${path}`
}

function directory(path: string | undefined, base: string): string | undefined {
  return path === undefined ? undefined : absolute(path, base)
}

/** A name without a slash is one that `ip netns` would know. */
export function netnsPath(path: string | undefined, base: string): string | undefined {
  return path === undefined || path.includes("/") ? directory(path, base) : `/run/netns/${path}`
}

function environmentPath(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  issues: Issue[],
): string | undefined {
  const path = env[name]
  if (path === undefined || path.startsWith("/")) {
    return path
  }
  // An empty variable is most often a script's mistake; taking it for "not set" would act on the machine itself.
  issues.push({
    path: name,
    message:
      path === "" ? "is set but empty; unset it, or give an absolute path" : `${quote(path)} is not an absolute path`,
  })
  return undefined
}

function environmentSwitch(name: string, env: Readonly<Record<string, string | undefined>>, issues: Issue[]): boolean {
  const value = env[name]
  if (value !== undefined && value !== "on" && value !== "off") {
    issues.push({ path: name, message: `must be "on" or "off", not ${quote(value)}` })
  }
  return value !== "off"
}

function environmentPools(value: string | undefined, issues: Issue[]): readonly string[] | undefined {
  if (value === undefined) {
    return undefined
  }
  const pools = value.split(/[\s,]+/).filter((pool) => pool !== "")
  const wrong = pools.filter((pool) => !/^[0-9a-fA-F.:]+\/[0-9]{1,3}\/[0-9]{1,3}$/.test(pool))
  if (pools.length === 0 || wrong.length > 0) {
    const what = pools.length === 0 ? "is set but empty" : `${wrong.map(quote).join(", ")} cannot be read`
    issues.push({
      path: "LINKSPAN_POOLS",
      message: `${what}; write pools as ADDRESS/LENGTH/SIZE-OF-ONE-SUBNET with commas between, as in 10.89.0.0/16/24,fd00:89::/48/64`,
    })
    return undefined
  }
  return pools
}
