// From the bodies of connect and disconnect to linkspan's requests.

import {
  childField,
  type Field,
  integerFrom,
  isPresent,
  optional,
  presentOnly,
  readBoolean,
  readList,
  readPlainObject,
  readText,
  refuse,
  required,
} from "#model/field.ts"
import { didYouMean } from "#model/nearest.ts"
import type { ConnectRequest } from "#model/request.ts"
import type { Sandbox } from "#model/sandbox.ts"
import { given, readFields } from "./body.ts"
import { oneContainer } from "./identity.ts"
import { issueLines, Refusal } from "./refusal.ts"

export interface ConnectBody {
  /** Name or id, as it was typed. */
  readonly container: string
  readonly ipv4?: string
  readonly ipv6?: string
  readonly linkLocal: readonly string[]
  readonly links: readonly string[]
  readonly aliases: readonly string[]
  readonly mac?: string
  readonly options: Readonly<Record<string, unknown>>
  readonly priority: number
}

const MOST_TEXTS = 256
const ENDPOINT_FIELDS = ["IPAMConfig", "Links", "Aliases", "MacAddress", "DriverOpts", "GwPriority"] as const

export function readConnectBody(field: Field): ConnectBody | undefined {
  const fields = readFields(field, ["Container", "EndpointConfig"])
  const container = fields === undefined ? undefined : required(given(fields.Container), readText)
  if (fields === undefined || container === undefined) {
    return undefined
  }
  const endpoint = readFields({ ...fields.EndpointConfig, value: fields.EndpointConfig.value ?? {} }, ENDPOINT_FIELDS)
  if (endpoint === undefined) {
    return undefined
  }
  const ipam = optional(endpoint.IPAMConfig, (one) => readFields(one, ["IPv4Address", "IPv6Address", "LinkLocalIPs"]))
  return {
    container,
    linkLocal: ipam === undefined ? [] : (optional(ipam.LinkLocalIPs, readTexts) ?? []),
    links: optional(endpoint.Links, readTexts) ?? [],
    aliases: optional(endpoint.Aliases, readTexts) ?? [],
    options: optional(endpoint.DriverOpts, readPlainObject) ?? {},
    priority: optional(endpoint.GwPriority, integerFrom(-(2 ** 31), 2 ** 31 - 1)) ?? 0,
    ...presentOnly({
      ipv4: ipam === undefined ? undefined : optional(given(ipam.IPv4Address), readText),
      ipv6: ipam === undefined ? undefined : optional(given(ipam.IPv6Address), readText),
      mac: optional(given(endpoint.MacAddress), readText),
    }),
  }
}

function readTexts(field: Field): readonly string[] | undefined {
  return readList(field, MOST_TEXTS, (one) => readText(one))?.filter(isPresent)
}

export function readDisconnectBody(field: Field): { readonly container: string } | undefined {
  const fields = readFields(field, ["Container", "Force"])
  if (fields === undefined) {
    return undefined
  }
  // Forced or not: linkspan takes a container off a network also when its namespace is gone.
  optional(fields.Force, readBoolean)
  const container = required(given(fields.Container), readText)
  return container === undefined ? undefined : { container }
}

const ENDPOINT_OPTION = "com.docker.network.endpoint."
const IFNAME = `${ENDPOINT_OPTION}ifname`

/** "CONTAINER:ALIAS", or "CONTAINER" under its own name. @throws Refusal 404 when there is no such container */
function linkOf(text: string, containers: readonly Sandbox[]): { readonly container: string; readonly alias: string } {
  const [reference = "", alias = reference] = text.split(":")
  return { container: oneContainer(containers, reference).id, alias: alias.replace(/^.*\//, "") }
}

/** @throws Refusal with all that cannot be */
export function connectRequest(
  body: ConnectBody,
  containers: readonly Sandbox[],
): Omit<ConnectRequest, "container" | "network"> {
  const field: Field = { value: body, path: "EndpointConfig", issues: [] }
  const options = childField(field, "DriverOpts", body.options)
  let ifname: string | undefined
  for (const [key, value] of Object.entries(body.options)) {
    const option = childField(options, key, value)
    const text = readText(option, 4096)
    if (key === IFNAME) {
      ifname = text
    } else if (text !== undefined && key.startsWith("com.docker.network.")) {
      refuse(option, `is not offered here${didYouMean(key, [IFNAME])}`)
    }
  }
  if (body.linkLocal.length > 0) {
    refuse(childField(field, "IPAMConfig", body.linkLocal), "has LinkLocalIPs, which are not offered here")
  }
  if (field.issues.length > 0) {
    throw new Refusal(400, ["invalid endpoint settings:", ...issueLines(field.issues)].join("\n"))
  }
  return {
    addresses: [body.ipv4, body.ipv6].filter(isPresent),
    aliases: body.aliases,
    gatewayPriority: body.priority,
    ...(body.links.length === 0 ? {} : { links: body.links.map((link) => linkOf(link, containers)) }),
    ...presentOnly({ mac: body.mac, ifname }),
  }
}
