// Network drivers that are programs of somebody else, in the directories that Podman names: called as netavark calls
// them, one JSON value in and one out. What they make is theirs: linkspan neither sees nor mends it. A plugin has a time
// limit, since Podman holds its lock meanwhile.
//
// https://github.com/containers/netavark/blob/main/plugin-API.md

import { accessSync, constants, statSync } from "node:fs"
import type { Surroundings } from "#engine/front-door.ts"
import type { CommandLine } from "./command-line.ts"
import { NetavarkError } from "./error.ts"
import type { Json } from "./json.ts"
import type { Attachment, Network, NetworkOptions } from "./options.ts"

const OWN_DRIVERS = ["bridge", "macvlan", "ipvlan"]

const TIME_LIMIT_S = 60
/** For output of a process that the plugin has left behind. */
const LAST_WORDS_MS = 500
const LONGEST_OUTPUT = 1 << 20

export interface Plugin {
  readonly name: string
  readonly path: string
}

/** Networks that are the engine's, and those that plugins make. */
export function divide(options: NetworkOptions): {
  readonly own: NetworkOptions
  readonly theirs: readonly Attachment[]
} {
  const theirs = options.networks.filter(({ network }) => !OWN_DRIVERS.includes(network.driver))
  return { own: { ...options, networks: options.networks.filter((one) => !theirs.includes(one)) }, theirs }
}

/** The plugin of a network; undefined when its driver is the engine's. @throws NetavarkError when there is none */
export function pluginOf(network: Network, line: CommandLine, world: Surroundings): Plugin | undefined {
  return OWN_DRIVERS.includes(network.driver) ? undefined : findPlugin(network, line, world)
}

export function findPlugin({ driver }: Network, line: CommandLine, { directory }: Surroundings): Plugin {
  // The name of a file, and never a way to another place.
  if (driver !== "" && driver !== "." && driver !== ".." && !driver.includes("/") && !driver.includes("\0")) {
    for (const each of line.pluginDirectories) {
      const path = `${each.startsWith("/") ? each : `${directory}/${each}`}/${driver}`
      if (isProgram(path)) {
        return { name: driver, path }
      }
    }
  }
  throw new NetavarkError(`unknown network driver "${driver}"`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** One container's joining or leaving of one network. */
export interface Plugging {
  readonly options: NetworkOptions
  readonly attachment: Attachment
  readonly line: CommandLine
  readonly world: Surroundings
}

/** @returns the status block, as the plugin gave it */
export async function plug(plugging: Plugging): Promise<Json> {
  const plugin = findPlugin(plugging.attachment.network, plugging.line, plugging.world)
  return readObject(plugin, await callForContainer(plugin, "setup", plugging))
}

export async function unplug(plugging: Plugging): Promise<void> {
  const plugin = findPlugin(plugging.attachment.network, plugging.line, plugging.world)
  await callForContainer(plugin, "teardown", plugging)
}

function callForContainer(
  plugin: Plugin,
  verb: "setup" | "teardown",
  { options, attachment, line, world }: Plugging,
): Promise<string> {
  return call(plugin, [verb, line.argument ?? ""], inputOf(options, attachment), world)
}

/** A network that is about to be written down, as its plugin wants it. */
export async function createPlugged(plugin: Plugin, network: Network, world: Surroundings): Promise<Json> {
  const answer = readObject(plugin, await call(plugin, ["create"], network.raw, world))
  for (const field of ["name", "id", "driver"] as const) {
    if (answer[field] !== network[field]) {
      throw new NetavarkError(
        `plugin "${plugin.name}" failed: it answers for ${field} ${JSON.stringify(answer[field])} instead of "${network[field]}"`,
      )
    }
  }
  return answer
}

function inputOf({ containerId, containerName, ports }: NetworkOptions, { network, raw }: Attachment): Json {
  const { name: _, ...options } = raw
  return {
    container_id: containerId,
    container_name: containerName,
    port_mappings: ports.map(({ hostIp, containerPort, hostPort, protocol, range }) => ({
      container_port: containerPort,
      host_ip: hostIp,
      host_port: hostPort,
      protocol,
      range,
    })),
    network: network.raw,
    network_options: options,
  }
}

function readObject({ name }: Plugin, text: string): Json {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Json
    }
    throw new Error("it is no JSON object")
  } catch (error) {
    throw new NetavarkError(`plugin "${name}" failed: its answer cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

// ── The process ─────────────────────────────────────────────────────────────────────────────────────────────────────

async function call(plugin: Plugin, args: readonly string[], input: Json, world: Surroundings): Promise<string> {
  const fail = (reason: string): never => {
    throw new NetavarkError(`plugin "${plugin.name}" failed: ${reason}`)
  }
  const seconds = Number(world.env["LINKSPAN_PLUGIN_TIMEOUT"] ?? "") || TIME_LIMIT_S
  const child = start(plugin, args, input, world)
  const end = new AbortController()
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    // With whatever it has started, as far as that has not left it.
    killGroup(child.pid)
  }, seconds * 1000)
  const exited = child.exited.finally(() => {
    clearTimeout(timer)
    setTimeout(() => end.abort(), LAST_WORDS_MS)
  })
  const tooMuch = (): void => killGroup(child.pid)
  const [output, told] = await Promise.all([
    readAll(child.stdout, end.signal, tooMuch),
    readAll(child.stderr, end.signal, tooMuch),
    exited,
  ])
  world.err(told)
  if (isLate) {
    fail(`it did not end within ${seconds} s`)
  }
  if (output.length > LONGEST_OUTPUT || told.length > LONGEST_OUTPUT) {
    fail("it says more than 1 MiB")
  }
  if (child.signalCode !== null) {
    fail(`killed by signal (${child.signalCode})`)
  }
  if (child.exitCode !== 0) {
    fail(`exit code ${child.exitCode}, ${messageIn(output)}`)
  }
  return output
}

function start({ name, path }: Plugin, args: readonly string[], input: Json, { env, directory }: Surroundings) {
  try {
    return Bun.spawn([path, ...args], {
      env: { ...env },
      cwd: directory,
      stdin: new TextEncoder().encode(JSON.stringify(input)),
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    })
  } catch (error) {
    throw new NetavarkError(`plugin "${name}" failed: IO error: ${(error as Error).message}`, { cause: error })
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL")
  } catch (error) {
    if ((error as { code?: string }).code !== "ESRCH") {
      throw error
    }
  }
}

/** To the end, or until nobody waits for it any more. */
async function readAll(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  onTooMuch: () => void,
): Promise<string> {
  const reader = stream.getReader()
  signal.addEventListener("abort", () => void reader.cancel())
  const decoder = new TextDecoder()
  let text = ""
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += decoder.decode(piece.value, { stream: true })
    if (text.length > LONGEST_OUTPUT) {
      onTooMuch()
      await reader.cancel()
      return text
    }
  }
  return text + decoder.decode()
}

/** What it says went wrong, in the shape that the contract has for it. */
function messageIn(output: string): string {
  try {
    const { error } = JSON.parse(output) as { error?: unknown }
    return typeof error === "string" ? `message: ${error}` : "parse error: missing field `error`"
  } catch (error) {
    return `parse error: ${(error as Error).message}`
  }
}
