// A call by a runtime: variables and one JSON document. Checked in the order in which libcni's own skeleton checks, so
// that the same mistake gets the same code.

import { CniError, CODES } from "./cni-error.ts"
import { type Folded, fold, get, isObject, text } from "./fold.ts"
import { isAtLeast, isVersion, VERSIONS, type Version } from "./versions.ts"

export const COMMANDS = ["ADD", "DEL", "CHECK", "GC", "STATUS"] as const
export type Command = (typeof COMMANDS)[number]

export type Environment = Readonly<Record<string, string | undefined>>

/** Of one interface of one container. */
export interface Attachment {
  readonly containerId: string
  readonly ifname: string
  /** Absent: the runtime does not know it any more. */
  readonly netns?: string
}

export interface Config {
  /** The document as it came, for a plugin that is to read the same. */
  readonly raw: string
  readonly version: Version
  readonly name: string
  readonly keys: Folded
  readonly runtime: Folded
  /** args.cni, with what CNI_ARGS says below it. */
  readonly args: Folded
  /** CNI_ARGS alone, keys as sent. */
  readonly variables: ReadonlyMap<string, string>
  readonly previous: Readonly<Record<string, unknown>> | undefined
}

/** Who is spoken of by the variables; the rules are the specification's and libcni's (pkg/utils). */
export function readAttachment(command: Command, env: Environment): Attachment | undefined {
  const needed = {
    ADD: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
    CHECK: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
    DEL: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
    GC: ["CNI_PATH"],
    STATUS: ["CNI_PATH"],
  }[command]
  const missing = needed.filter((name) => (env[name] ?? "") === "")
  if (missing.length > 0) {
    throw new CniError(CODES.badEnvironment, `Cannot ${command}: required variables are missing: ${missing.join(", ")}`)
  }
  if (command === "GC" || command === "STATUS") {
    return undefined
  }
  const containerId = env["CNI_CONTAINERID"] ?? ""
  const ifname = env["CNI_IFNAME"] ?? ""
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(containerId)) {
    throw new CniError(
      CODES.badEnvironment,
      `Cannot ${command}: CNI_CONTAINERID=${JSON.stringify(containerId)} is invalid`,
      {
        details: "It begins with a letter or digit; letters, digits, '_', '.' and '-' follow",
      },
    )
  }
  if (ifname.length > 15 || ifname === "." || ifname === ".." || /[/:\s]/.test(ifname)) {
    throw new CniError(CODES.badEnvironment, `Cannot ${command}: CNI_IFNAME=${JSON.stringify(ifname)} is invalid`, {
      details: "It has up to 15 characters, without '/', ':' and blanks",
    })
  }
  const netns = env["CNI_NETNS"] ?? ""
  return { containerId, ifname, ...(netns === "" ? {} : { netns }) }
}

export function readConfig(command: Command, raw: string, env: Environment): Config {
  const document = parse(raw)
  const keys = fold({ value: document, path: "" })
  const name = text(get(keys, "name"))
  if (name === undefined || !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    throw new CniError(
      CODES.invalidConfig,
      name === undefined
        ? 'The network configuration has no "name"'
        : `The network's name ${JSON.stringify(name)} is invalid`,
      { details: "It begins with a letter or digit; letters, digits, '_', '.' and '-' follow" },
    )
  }
  const variables = readVariables(env["CNI_ARGS"] ?? "")
  const previous = get(keys, "prevResult").value
  return {
    raw,
    version: readVersion(command, keys),
    name,
    keys,
    runtime: fold(get(keys, "runtimeConfig")),
    args: fold(get(fold(get(keys, "args")), "cni", "args")),
    variables,
    previous: isObject(previous) ? previous : undefined,
  }
}

function parse(raw: string): Readonly<Record<string, unknown>> {
  let document: unknown
  try {
    document = JSON.parse(raw)
  } catch (cause) {
    throw undecodable(cause)
  }
  if (!isObject(document)) {
    throw new CniError(CODES.decodingFailure, "Cannot read the network configuration: it is no JSON object")
  }
  return document
}

function undecodable(cause: unknown): CniError {
  const message = `Cannot read the network configuration: ${(cause as Error).message}`
  return new CniError(CODES.decodingFailure, message, { cause })
}

/** A configuration without a version is one of 0.1.0, which libcni takes it for. */
function readVersion(command: Command, keys: Folded): Version {
  const asked = text(get(keys, "cniVersion")) ?? "0.1.0"
  if (!isVersion(asked)) {
    throw new CniError(CODES.incompatibleVersion, `CNI version ${JSON.stringify(asked)} is not supported`, {
      details: `Supported: ${VERSIONS.join(", ")}`,
    })
  }
  const least = { ADD: "0.3.0", DEL: "0.3.0", CHECK: "0.4.0", GC: "1.1.0", STATUS: "1.1.0" } as const
  if (!isAtLeast(asked, least[command])) {
    throw new CniError(
      CODES.incompatibleVersion,
      `CNI version ${asked} has no ${command}; the configuration must be of ${least[command]} or newer`,
    )
  }
  return asked
}

function readVariables(args: string): Map<string, string> {
  const pairs = args.split(";").filter((pair) => pair !== "")
  return new Map(
    pairs.map((pair) => {
      const equals = pair.indexOf("=")
      if (equals < 1) {
        throw new CniError(CODES.badEnvironment, `CNI_ARGS has ${JSON.stringify(pair)}, which is no KEY=VALUE`)
      }
      return [pair.slice(0, equals).toUpperCase(), pair.slice(equals + 1)] as const
    }),
  )
}
