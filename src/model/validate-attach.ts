// From a request to attach somebody's network namespace to a checked one.

import {
  type Checked,
  checked,
  childField,
  type Field,
  integerFrom,
  oneOf,
  optional,
  presentOnly,
  readObject,
  readPlainObject,
  refuse,
  required,
  rootField,
} from "./field.ts"
import { readHostname, readLabels, readName, readPath } from "./read-names.ts"
import type { AttachRequest, NetnsRequest } from "./request.ts"
import { type ContainerDnsDraft, readContainerDns } from "./validate-dns.ts"
import { type Join, readJoins } from "./validate-join.ts"
import { type PublicationDraft, readPublications } from "./validate-publish.ts"

export interface Attach {
  /** Absent: chosen by linkspan. */
  readonly name?: string
  readonly hostname?: string
  readonly netns: NetnsRequest
  readonly networks: readonly Join[]
  readonly publish: readonly PublicationDraft[]
  readonly labels: Readonly<Record<string, string>>
  readonly dns?: ContainerDnsDraft
}

const ATTACH_FIELDS = {
  name: true,
  hostname: true,
  netns: true,
  networks: true,
  publish: true,
  labels: true,
  dns: true,
} as const satisfies Record<keyof AttachRequest, true>

export function checkAttach(request: unknown): Checked<Attach> {
  const root = rootField(request)
  const fields = readObject(root, ATTACH_FIELDS)
  if (fields === undefined) {
    return checked<Attach>(root, undefined)
  }
  const netns = required(fields.netns, readNetns)
  const networks = required(fields.networks, readJoins)
  const publish = optional(fields.publish, readPublications) ?? []
  if (publish.length > 0 && Array.isArray(fields.networks.value) && fields.networks.value.length === 0) {
    refuse(fields.publish, "needs a network: name at least one in networks")
  }
  const rest = {
    publish,
    labels: optional(fields.labels, readLabels) ?? {},
    ...presentOnly({
      name: optional(fields.name, readName),
      hostname: optional(fields.hostname, readHostname),
      dns: optional(fields.dns, readContainerDns),
    }),
  }
  return checked(root, netns === undefined || networks === undefined ? undefined : { netns, networks, ...rest })
}

/** PID_MAX_LIMIT of 64-bit kernels (include/linux/threads.h). */
const HIGHEST_PID = 2 ** 22

export function readNetns(field: Field): NetnsRequest | undefined {
  const object = readPlainObject(field)
  if (object === undefined) {
    return undefined
  }
  const kind = required(
    childField(field, "kind", Object.hasOwn(object, "kind") ? object["kind"] : undefined),
    oneOf(["path", "pid", "new"]),
  )
  switch (kind) {
    case "path": {
      const fields = readObject(field, { kind: true, path: true })
      const path = fields && required(fields.path, readPath)
      return path === undefined ? undefined : { kind, path }
    }
    case "pid": {
      const fields = readObject(field, { kind: true, pid: true })
      const pid = fields && required(fields.pid, integerFrom(1, HIGHEST_PID))
      return pid === undefined ? undefined : { kind, pid }
    }
    case "new": {
      const fields = readObject(field, { kind: true, name: true })
      const name = fields && required(fields.name, readName)
      return name === undefined ? undefined : { kind, name }
    }
    case undefined:
      return undefined
  }
}
