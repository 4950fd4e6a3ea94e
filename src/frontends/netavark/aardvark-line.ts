// aardvark-dns' command line: `aardvark-dns [OPTIONS] run|version`.

import { UsageError } from "./command-line.ts"

export interface AardvarkLine {
  readonly verb: "run" | "version"
  readonly config: string
  readonly port: number
  /** Below which every name is known as well; without the dots at its ends. */
  readonly domain: string
}

const DEFAULT_PORT = 5533
const DEFAULT_DOMAIN = ".dns.podman"

export const AARDVARK_USAGE = `Usage: aardvark-dns [OPTIONS] --config <DIRECTORY> <COMMAND>

Commands:
  run      Answers the names in the directory, in the background; SIGHUP makes it read again
  version  Prints the version as JSON

Options:
  -c, --config <DIRECTORY>             A file for each network, as netavark writes them
  -p, --port <PORT>                    [default: ${DEFAULT_PORT}]
  -f, --filter-search-domain <DOMAIN>  [default: ${DEFAULT_DOMAIN}]
  -h, --help
  -V, --version
`

const OPTIONS: Readonly<Record<string, "config" | "port" | "domain">> = {
  "-c": "config",
  "--config": "config",
  "-p": "port",
  "--port": "port",
  "-f": "domain",
  "--filter-search-domain": "domain",
}

/** @throws UsageError */
export function parseAardvarkLine(args: readonly string[]): AardvarkLine {
  const given: Partial<Record<"config" | "port" | "domain", string>> = {}
  const verbs: string[] = []
  const words = [...args]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [name = "", attached] = word.startsWith("--") ? splitAtFirst(word, "=") : [word]
    const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined
    if (option !== undefined) {
      const value = attached ?? words.shift()
      if (value === undefined) {
        throw new UsageError(`a value is required for '${name}'`)
      }
      given[option] = value
    } else if (word.startsWith("-")) {
      throw new UsageError(`unexpected argument '${word}' found`)
    } else {
      verbs.push(word)
    }
  }
  const [verb, ...more] = verbs
  if ((verb !== "run" && verb !== "version") || more.length > 0) {
    throw new UsageError(verb === undefined ? "a command is required" : `unrecognized subcommand '${more[0] ?? verb}'`)
  }
  const { config = "", port = String(DEFAULT_PORT), domain = DEFAULT_DOMAIN } = given
  if (config === "" && verb === "run") {
    throw new UsageError("the following required arguments were not provided: --config <DIRECTORY>")
  }
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 0xffff) {
    throw new UsageError(`invalid value '${port}' for '--port <PORT>'`)
  }
  return { verb, config, port: Number(port), domain: domain.replace(/^\.+|\.+$/g, "") }
}

function splitAtFirst(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + mark.length)]
}
