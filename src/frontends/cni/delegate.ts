// Another plugin that gives the addresses (ipam.type): found in CNI_PATH and run with what we were given.

import { CniError, CODES } from "./cni-error.ts"
import { fold, get, isObject, list, text } from "./fold.ts"
import { readRoutes } from "./network-config.ts"
import type { Command, Config, Environment } from "./request.ts"
import type { Result, ResultIp } from "./result.ts"
import { isVersion, VERSIONS, type Version } from "./versions.ts"

interface Answer {
  readonly status: number
  readonly output: string
}

export class Delegate {
  readonly #type: string
  readonly #path: string
  readonly #env: Environment

  private constructor(type: string, path: string, env: Environment) {
    this.#type = type
    this.#path = path
    this.#env = env
  }

  /** @throws CniError when there is none of that name */
  static async find(type: string, env: Environment): Promise<Delegate> {
    if (type.includes("/")) {
      throw new CniError(CODES.invalidConfig, `"ipam.type" ${JSON.stringify(type)} is no plugin's name`)
    }
    const places = (env["CNI_PATH"] ?? "").split(":").filter((place) => place !== "")
    for (const place of places) {
      const path = `${place}/${type}`
      if (await Bun.file(path).exists()) {
        return new Delegate(type, path, env)
      }
    }
    throw new CniError(CODES.invalidConfig, `There is no plugin "${type}" for the addresses in ${places.join(", ")}`, {
      details: 'Install it, or leave out "ipam.type" and let linkspan give the addresses',
    })
  }

  /**
   * A delegate older than the configuration refuses its version: it is asked again in the newest that both know.
   * @returns undefined where no version of it knows the command.
   */
  ask(command: Command, config: Config): Result | undefined {
    const first = this.#run(command, config.raw)
    if (first.status === 0) {
      return command === "ADD" ? readResult(first.output) : {}
    }
    const { code, message } = readError(first)
    if ((command === "GC" || command === "STATUS") && code === CODES.badEnvironment) {
      return undefined // Older than the command, and says so.
    }
    if (code !== CODES.incompatibleVersion && !/incompatible CNI version/i.test(message)) {
      throw this.#failed(command, code, message)
    }
    const version = this.#newestCommon()
    if (version === undefined || ((command === "GC" || command === "STATUS") && version !== "1.1.0")) {
      return undefined
    }
    const second = this.#run(command, JSON.stringify(asOf(version, config)))
    if (second.status !== 0) {
      const again = readError(second)
      throw this.#failed(command, again.code, again.message)
    }
    return command === "ADD" ? readResult(second.output) : {}
  }

  #run(command: string, input: string): Answer {
    const { exitCode, stdout } = Bun.spawnSync([this.#path], {
      env: { ...this.#env, CNI_COMMAND: command } as Record<string, string>,
      stdin: new TextEncoder().encode(input),
      stdout: "pipe",
      stderr: "inherit",
    })
    return { status: exitCode, output: stdout.toString() }
  }

  #newestCommon(): Version | undefined {
    const { output } = this.#run("VERSION", JSON.stringify({ cniVersion: VERSIONS.at(-1) }))
    const answer = fold({ value: parse(output), path: "" })
    const theirs = list(get(answer, "supportedVersions")).flatMap((each) => text(each) ?? [])
    return VERSIONS.toReversed().find((version) => theirs.includes(version))
  }

  #failed(command: string, code: number | undefined, message: string): CniError {
    return new CniError(
      code === CODES.tryAgainLater || code === CODES.unavailable ? code : CODES.delegateFailed,
      `Plugin "${this.#type}" failed to ${command}: ${message}`,
    )
  }
}

/** What was given, in an older version; what that one does not know is passed over there. */
function asOf(version: Version, { raw, previous }: Config): object {
  const ips: unknown = previous?.["ips"]
  return {
    ...(JSON.parse(raw) as object),
    cniVersion: version,
    ...(previous === undefined
      ? {}
      : {
          prevResult: { ...previous, cniVersion: version, ...(Array.isArray(ips) ? { ips: ips.map(withFamily) } : {}) },
        }),
  }
}

/** Until 1.0.0 an address had to say its family. */
function withFamily(ip: unknown): unknown {
  return isObject(ip) ? { version: String(ip["address"]).includes(":") ? "6" : "4", ...ip } : ip
}

function parse(output: string): unknown {
  try {
    return JSON.parse(output)
  } catch {
    return undefined
  }
}

function readError({ output, status }: Answer): { readonly code: number | undefined; readonly message: string } {
  const answer = parse(output)
  if (!isObject(answer)) {
    return { code: undefined, message: output.trim() || `it ended with status ${status} and said nothing` }
  }
  const { code, msg, details } = answer
  const message = [msg, details].filter((part) => typeof part === "string" && part !== "").join("; ")
  return { code: typeof code === "number" ? code : undefined, message }
}

function readResult(output: string): Result {
  const answer = fold({ value: parse(output), path: "" })
  const version = text(get(answer, "cniVersion"))
  if (version !== undefined && !isVersion(version)) {
    throw new CniError(CODES.delegateFailed, `The plugin for the addresses answered in CNI version ${version}`)
  }
  const ips = list(get(answer, "ips")).map((found): ResultIp => {
    const keys = fold(found)
    const gateway = text(get(keys, "gateway", found.path))
    return { address: text(get(keys, "address", found.path)) ?? "", ...(gateway === undefined ? {} : { gateway }) }
  })
  if (ips.length === 0) {
    throw new CniError(CODES.delegateFailed, "The plugin for the addresses gave none")
  }
  const dns = fold(get(answer, "dns"))
  return { ips, routes: readRoutes(answer), ...(dns.size === 0 ? {} : { dns: Object.fromEntries(dns) }) }
}
