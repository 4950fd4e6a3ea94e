// From a request to run a command in a network of its own to a checked one.

import { CAPABILITIES, type Capability, parseCapability } from "./capability.ts"
import {
  type Checked,
  checked,
  childField,
  type Field,
  isPresent,
  optional,
  presentOnly,
  readBoolean,
  readList,
  readObject,
  readPlainObject,
  readText,
  refuse,
  required,
  rootField,
} from "./field.ts"
import { DEFAULT_LOG_LIMIT, type LogLimit, readLogLimit } from "./log-limit.ts"
import { isName, NAME_RULE } from "./name.ts"
import { didYouMean } from "./nearest.ts"
import { quote } from "./quote.ts"
import { readHostname, readLabels, readName, readPath } from "./read-names.ts"
import type { RunRequest } from "./request.ts"
import { type ContainerDnsDraft, readContainerDns } from "./validate-dns.ts"
import { type Join, readJoins } from "./validate-join.ts"
import { type PublicationDraft, readPublications } from "./validate-publish.ts"

export type RunMode =
  /** Its own namespace; `networks` empty: the engine's default. */
  | { readonly kind: "private" }
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  /** The namespace of another container, by name or id. */
  | { readonly kind: "shared"; readonly container: string }

export interface Run {
  readonly name?: string
  readonly hostname?: string
  readonly command: readonly [string, ...string[]]
  readonly mode: RunMode
  readonly networks: readonly Join[]
  readonly publish: readonly PublicationDraft[]
  readonly labels: Readonly<Record<string, string>>
  readonly rootfs?: string
  readonly detach: boolean
  readonly autoRemove: boolean
  readonly log: LogLimit
  readonly env: Readonly<Record<string, string>>
  readonly workdir?: string
  readonly capAdd: readonly Capability[]
  readonly user?: string
  readonly dns?: ContainerDnsDraft
}

const RUN_FIELDS = {
  name: true,
  hostname: true,
  command: true,
  mode: true,
  networks: true,
  publish: true,
  labels: true,
  rootfs: true,
  detach: true,
  autoRemove: true,
  log: true,
  env: true,
  workdir: true,
  capAdd: true,
  user: true,
  dns: true,
} as const satisfies Record<keyof RunRequest, true>

export function checkRun(request: unknown): Checked<Run> {
  const root = rootField(request)
  const fields = readObject(root, RUN_FIELDS)
  if (fields === undefined) {
    return checked<Run>(root, undefined)
  }
  const command = required(fields.command, readCommand)
  const mode = fields.mode.value === undefined ? ({ kind: "private" } as const) : readMode(fields.mode)
  const networks = optional(fields.networks, readJoins) ?? []
  const publish = optional(fields.publish, readPublications) ?? []
  const dns = optional(fields.dns, readContainerDns)
  if (mode !== undefined && mode.kind !== "private") {
    if (dns !== undefined) {
      refuseBesideMode(fields.dns, 1, mode)
    }
    refuseBesideMode(fields.networks, networks.length, mode)
    refuseBesideMode(fields.publish, publish.length, mode)
  }
  const detach = optional(fields.detach, readBoolean) ?? false
  const log = optional(fields.log, readLogLimit)
  if (log !== undefined && !detach) {
    refuse(fields.log, "is for containers in the background: what one in the foreground prints goes to its caller")
  }
  const rest = {
    networks,
    publish,
    labels: optional(fields.labels, readLabels) ?? {},
    detach,
    log: log ?? DEFAULT_LOG_LIMIT,
    autoRemove: optional(fields.autoRemove, readBoolean) ?? false,
    env: optional(fields.env, readEnv) ?? {},
    capAdd: optional(fields.capAdd, readCapabilities) ?? [],
    ...presentOnly({
      name: optional(fields.name, readName),
      hostname: optional(fields.hostname, readHostname),
      rootfs: optional(fields.rootfs, readPath),
      workdir: optional(fields.workdir, readPath),
      user: optional(fields.user, readUser),
      dns,
    }),
  }
  return checked(root, command === undefined || mode === undefined ? undefined : { command, mode, ...rest })
}

/** One more command for a container that runs. */
export type Exec = Pick<Run, "command" | "env" | "workdir" | "user">

const EXEC_FIELDS = { command: true, env: true, workdir: true, user: true } as const satisfies Record<keyof Exec, true>

export function checkExec(request: unknown): Checked<Exec> {
  const root = rootField(request)
  const fields = readObject(root, EXEC_FIELDS)
  if (fields === undefined) {
    return checked<Exec>(root, undefined)
  }
  const command = required(fields.command, readCommand)
  const rest = {
    env: optional(fields.env, readEnv) ?? {},
    ...presentOnly({ workdir: optional(fields.workdir, readPath), user: optional(fields.user, readUser) }),
  }
  return checked(root, command === undefined ? undefined : { command, ...rest })
}

/** MAX_ARG_STRLEN (include/uapi/linux/binfmts.h), with the final NUL. */
const LONGEST_ARGUMENT = 131_071
const MOST_ARGUMENTS = 4096

function readCommand(field: Field): readonly [string, ...string[]] | undefined {
  const list = readList(field, MOST_ARGUMENTS, (argument) => readText(argument, LONGEST_ARGUMENT))
  const [program, ...rest] = list?.filter(isPresent) ?? []
  if (list?.length === 0 || list?.[0] === "") {
    return refuse(field, "names no program to run")
  }
  return program === undefined ? undefined : [program, ...rest]
}

function readMode(field: Field): RunMode | undefined {
  const text = readText(field)
  if (text === "host" || text === "none") {
    return { kind: text }
  }
  if (text?.startsWith("container:")) {
    const container = text.slice("container:".length)
    return isName(container)
      ? { kind: "shared", container }
      : refuse(field, `${quote(container)} is not a container's name: use ${NAME_RULE}`)
  }
  return text === undefined
    ? undefined
    : refuse(
        field,
        `must be "host", "none" or "container:NAME", not ${quote(text)}${didYouMean(text, ["host", "none"])}`,
      )
}

const WITHOUT_NETWORKS = {
  none: "the container has no network at all",
  host: "the container is on the host's own network, whose ports it opens itself",
  shared: "the container uses another's network; ask for it there",
} as const

function refuseBesideMode(field: Field, length: number, mode: Exclude<RunMode, { kind: "private" }>): void {
  if (length > 0) {
    const name = mode.kind === "shared" ? `container:${mode.container}` : mode.kind
    refuse(field, `is not possible in mode "${name}": ${WITHOUT_NETWORKS[mode.kind]}`)
  }
}

const MOST_VARIABLES = 4096

function readEnv(field: Field): Readonly<Record<string, string>> | undefined {
  const object = readPlainObject(field)
  if (object === undefined) {
    return undefined
  }
  const names = Object.keys(object)
  if (names.length > MOST_VARIABLES) {
    return refuse(field, `has ${names.length} variables; at most ${MOST_VARIABLES} are allowed`)
  }
  const variables = names.map((name) => {
    if (name === "" || name.includes("=") || name.includes("\0") || !name.isWellFormed()) {
      refuse(
        field,
        `${quote(name)} is not a variable's name: it needs at least one character, and none may be "=" or NUL`,
      )
    }
    return [name, readText(childField(field, name, object[name]), LONGEST_ARGUMENT - name.length - 1) ?? ""] as const
  })
  return Object.fromEntries(variables)
}

function readCapabilities(field: Field): readonly Capability[] | undefined {
  const list = readList(field, CAPABILITIES.length, readCapability)
  return list === undefined ? undefined : [...new Set(list.filter(isPresent))]
}

function readCapability(field: Field): Capability | undefined {
  const text = readText(field)
  return text === undefined
    ? undefined
    : (parseCapability(text) ??
        refuse(
          field,
          `${quote(text)} is not a capability of capabilities(7)${didYouMean(text.replace(/^CAP_/i, ""), CAPABILITIES)}`,
        ))
}

/** 2^32 - 1 means "no change" to setuid(2). */
const HIGHEST_UID = 0xffff_fffe

function readUser(field: Field): string | undefined {
  const text = readText(field)
  return text === undefined || (text.split(":").length <= 2 && text.split(":").every(isUserOrGroup))
    ? text
    : refuse(field, `${quote(text)} is not a user: write USER, USER:GROUP, UID or UID:GID`)
}

function isUserOrGroup(text: string): boolean {
  // useradd(8)'s rule for names.
  return /^[0-9]{1,10}$/.test(text) ? Number(text) <= HIGHEST_UID : /^[a-zA-Z_][a-zA-Z0-9_.-]{0,30}\$?$/.test(text)
}
