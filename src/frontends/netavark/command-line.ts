// netavark's command line: `netavark [OPTIONS] VERB [ARGUMENT] [OPTIONS]`.

export interface CommandLine {
  readonly verb: Verb
  readonly argument?: string
  readonly file?: string
  readonly config?: string
  readonly rootless: boolean
  readonly aardvark?: string
  readonly firewall?: string
  readonly pluginDirectories: readonly string[]
  /** Of `update`; absent: not given. */
  readonly dnsServers?: readonly string[]
  /** Of `dhcp-proxy`: how long it stays without anything to do; absent: it always does. */
  readonly idleSeconds?: number
}

const VERBS = {
  setup: { argument: "NETWORK_NAMESPACE_PATH" },
  teardown: { argument: "NETWORK_NAMESPACE_PATH" },
  update: { argument: "NETWORK_NAME" },
  create: {},
  "dhcp-proxy": {},
  version: {},
  "firewalld-reload": {},
  "firewall-reload": {},
  "nftables-reload": {},
} as const satisfies Record<string, { readonly argument?: string }>

export type Verb = keyof typeof VERBS

/** What stands for each option, and whether it may be given again. */
type Option = "file" | "config" | "rootless" | "aardvark" | "firewall" | "plugin" | "dns" | "unused" | "activity"
const OPTIONS: Readonly<Record<string, Option>> = {
  "-f": "file",
  "--file": "file",
  "-c": "config",
  "--config": "config",
  "-r": "rootless",
  "--rootless": "rootless",
  "-a": "aardvark",
  "--aardvark-binary": "aardvark",
  "--firewall-driver": "firewall",
  "--plugin-directory": "plugin",
  "--network-dns-servers": "dns",
}

/** Behind that verb; where netavark's other half finds it, and how long that waits for a lease, matters to nobody here. */
const DHCP_OPTIONS: typeof OPTIONS = {
  "-d": "unused",
  "--dir": "unused",
  "-u": "unused",
  "--uds": "unused",
  "-t": "unused",
  "--timeout": "unused",
  "-a": "activity",
  "--activity-timeout": "activity",
}

const IDLE_SECONDS = 300

export const USAGE = `Usage: netavark [OPTIONS] <COMMAND>

Commands:
  setup             Configures the given network namespace with the given configuration (standard input, or --file)
  teardown          Undoes that
  update            Changes the DNS servers of a network: update NETWORK --network-dns-servers LIST
  create            Completes the network on standard input
  dhcp-proxy        Renews DHCP leases, and ends 300 s (-a, --activity-timeout; 0: never) after the last
  firewall-reload   Puts the firewall back (also: firewalld-reload, nftables-reload)
  version           Prints the version as JSON

Options:
  -f, --file <FILE>                     Instead of standard input
  -c, --config <DIRECTORY>              Run directory
  -r, --rootless <true|false>
  -a, --aardvark-binary <FILE>
      --firewall-driver <DRIVER>        nftables [env: NETAVARK_FW]
      --plugin-directory <DIRECTORY>    May be given again
  -h, --help
  -V, --version
`

/** What is wrong with the command line, for standard error. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const given: Record<(typeof OPTIONS)[string], string[]> = {
    file: [],
    config: [],
    rootless: [],
    aardvark: [],
    firewall: [],
    plugin: [],
    dns: [],
    unused: [],
    activity: [],
  }
  const words: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string
    if (arg === "--") {
      words.push(...args.slice(index + 1))
      break
    }
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg)
      continue
    }
    const { option, attached } = split(arg)
    const known = words[0] === "dhcp-proxy" ? { ...OPTIONS, ...DHCP_OPTIONS } : OPTIONS
    const kind = Object.hasOwn(known, option) ? known[option] : undefined
    if (kind === undefined) {
      throw new UsageError(`unexpected argument '${arg}' found`)
    }
    const value = attached ?? args[++index]
    if (value === undefined) {
      throw new UsageError(`a value is required for '${option}' but none was supplied`)
    }
    given[kind].push(value)
  }
  return settle(words, given)
}

function split(arg: string): { readonly option: string; readonly attached?: string } {
  const equals = arg.indexOf("=")
  if (arg.startsWith("--")) {
    return equals < 0 ? { option: arg } : { option: arg.slice(0, equals), attached: arg.slice(equals + 1) }
  }
  // "-cDIR" and "-c=DIR".
  return arg.length === 2 ? { option: arg } : { option: arg.slice(0, 2), attached: arg.slice(equals === 2 ? 3 : 2) }
}

function settle(words: readonly string[], given: Readonly<Record<string, readonly string[]>>): CommandLine {
  const [verb, argument, extra] = words
  if (verb === undefined) {
    throw new UsageError("'netavark' requires a subcommand but one was not provided")
  }
  if (!isVerb(verb)) {
    throw new UsageError(`unrecognized subcommand '${verb}'`)
  }
  const wanted = "argument" in VERBS[verb] ? (VERBS[verb] as { argument: string }).argument : undefined
  if (wanted !== undefined && argument === undefined) {
    throw new UsageError(`the following required arguments were not provided: <${wanted}>`)
  }
  const surplus = wanted === undefined ? argument : extra
  if (surplus !== undefined) {
    throw new UsageError(`unexpected argument '${surplus}' found`)
  }
  if (given["dns"]?.length !== 0 && verb !== "update") {
    throw new UsageError("unexpected argument '--network-dns-servers' found")
  }
  const last = (key: string): string | undefined => given[key]?.at(-1)
  return {
    verb,
    rootless: readRootless(last("rootless")),
    pluginDirectories: given["plugin"] ?? [],
    ...optionally("argument", argument),
    ...optionally("file", last("file")),
    ...optionally("config", last("config")),
    ...optionally("aardvark", last("aardvark")),
    ...optionally("firewall", last("firewall")),
    ...(verb === "dhcp-proxy" ? readIdle(last("activity")) : {}),
    ...(given["dns"]?.length === 0
      ? {}
      : { dnsServers: (given["dns"] ?? []).flatMap((list) => list.split(",")).filter((server) => server !== "") }),
  }
}

function readIdle(text: string | undefined): { readonly idleSeconds?: number } {
  const seconds = text === undefined ? IDLE_SECONDS : Number(text)
  if (text !== undefined && !/^[0-9]{1,9}$/.test(text)) {
    throw new UsageError(`invalid value '${text}' for '--activity-timeout <SECONDS>': invalid digit found in string`)
  }
  return seconds === 0 ? {} : { idleSeconds: seconds }
}

function isVerb(word: string): word is Verb {
  return Object.hasOwn(VERBS, word)
}

function readRootless(value: string | undefined): boolean {
  if (value !== undefined && value !== "true" && value !== "false") {
    throw new UsageError(`invalid value '${value}' for '--rootless <ROOTLESS>' [possible values: true, false]`)
  }
  return value === "true"
}

function optionally<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: string })
}
