// From the body of POST /networks/create to linkspan's request. What Docker keeps of a network and linkspan has no use
// for (the options as they were written, names of reserved addresses, …) is kept beside it, in one label.

import { parseIp } from "#inet/ip.ts"
import { parseInterface, prefixFamily, prefixOf } from "#inet/prefix.ts"
import { DOCKER_OPTIONS, readDockerOptions } from "#model/docker-options.ts"
import type { Issue } from "#model/errors.ts"
import {
  childField,
  type Field,
  isPresent,
  optional,
  presentOnly,
  readBoolean,
  readList,
  readPlainObject,
  readText,
  refuse,
} from "#model/field.ts"
import { NETWORK_DRIVERS, type NetworkDriver } from "#model/network.ts"
import type { CreateNetworkRequest, SubnetRequest } from "#model/request.ts"
import { checkCreateNetwork } from "#model/validate-network.ts"
import { given, readFields } from "./body.ts"
import { isPredefined } from "./predefined.ts"
import { issueLines, Refusal } from "./refusal.ts"

/** The label in which {@link Kept} stands, as JSON. */
export const KEPT_LABEL = "docker.create"

/** What inspection shows again as it was given. */
export interface Kept {
  readonly driver?: string
  readonly options?: Readonly<Record<string, string>>
  readonly attachable?: boolean
  readonly ipamOptions?: Readonly<Record<string, string>>
  /** Names of reserved addresses. */
  readonly auxiliary?: Readonly<Record<string, string>>
  readonly configFrom?: string
}

/** The body as it was written; nothing is known yet of whether it makes sense. */
export interface CreateBody {
  readonly name: string
  readonly driver: string
  readonly scope: string
  readonly enableIpv4?: boolean
  readonly enableIpv6?: boolean
  readonly ipamDriver: string
  readonly ipamOptions: Readonly<Record<string, string>>
  readonly pools: readonly Pool[]
  readonly internal: boolean
  readonly attachable: boolean
  readonly ingress: boolean
  readonly configOnly: boolean
  readonly configFrom?: string
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

interface Pool {
  readonly subnet?: string
  readonly range?: string
  readonly gateway?: string
  readonly auxiliary: Readonly<Record<string, string>>
}

const CREATE_FIELDS = [
  "Name",
  "Driver",
  "Scope",
  "EnableIPv4",
  "EnableIPv6",
  "IPAM",
  "Internal",
  "Attachable",
  "Ingress",
  "ConfigOnly",
  "ConfigFrom",
  "Options",
  "Labels",
] as const
const MOST_POOLS = 64
const LONGEST_TEXT = 4096

export function readCreateBody(field: Field): CreateBody | undefined {
  const fields = readFields(field, CREATE_FIELDS)
  if (fields === undefined) {
    return undefined
  }
  const ipam = optional(fields.IPAM, (one) => readFields(one, ["Driver", "Options", "Config"]))
  const from = optional(fields.ConfigFrom, (one) => readFields(one, ["Network"]))
  const configFrom = from === undefined ? undefined : optional(given(from.Network), readText)
  return {
    name: optional(fields.Name, readText) ?? "",
    driver: optional(fields.Driver, readText) ?? "",
    scope: optional(fields.Scope, readText) ?? "",
    ...presentOnly({
      enableIpv4: optional(fields.EnableIPv4, readBoolean),
      enableIpv6: optional(fields.EnableIPv6, readBoolean),
      configFrom,
    }),
    ipamDriver: (ipam === undefined ? undefined : optional(ipam.Driver, readText)) ?? "",
    ipamOptions: (ipam === undefined ? undefined : optional(ipam.Options, readTexts)) ?? {},
    pools: ((ipam && optional(ipam.Config, (list) => readList(list, MOST_POOLS, readPool))) ?? []).filter(isPresent),
    internal: optional(fields.Internal, readBoolean) ?? false,
    attachable: optional(fields.Attachable, readBoolean) ?? false,
    ingress: optional(fields.Ingress, readBoolean) ?? false,
    configOnly: optional(fields.ConfigOnly, readBoolean) ?? false,
    options: optional(fields.Options, readTexts) ?? {},
    labels: optional(fields.Labels, readTexts) ?? {},
  }
}

function readPool(field: Field): Pool | undefined {
  const fields = readFields(field, ["Subnet", "IPRange", "Gateway", "AuxiliaryAddresses"])
  return fields === undefined
    ? undefined
    : {
        ...presentOnly({
          subnet: optional(given(fields.Subnet), readText),
          range: optional(given(fields.IPRange), readText),
          gateway: optional(given(fields.Gateway), readText),
        }),
        auxiliary: optional(fields.AuxiliaryAddresses, readTexts) ?? {},
      }
}

function readTexts(field: Field): Readonly<Record<string, string>> | undefined {
  const object = readPlainObject(field)
  return object === undefined
    ? undefined
    : Object.fromEntries(
        Object.entries(object).map(([key, value]) => [
          key,
          readText(childField(field, key, value), LONGEST_TEXT) ?? "",
        ]),
      )
}

/** @throws Refusal as Docker would refuse it: the first reason of what cannot be at all, then all mistakes at once */
export function createRequest(body: CreateBody): CreateNetworkRequest {
  const driver = driverOf(body)
  refuseForeign(body)
  const field: Field = { value: body.options, path: "Options", issues: [] }
  const {
    request: options,
    bridge,
    hostBinding,
  } = readDockerOptions(field, {
    driver,
    internal: body.internal,
    ipv4: body.enableIpv4 ?? true,
    ipv6: body.enableIpv6 ?? body.pools.some(({ subnet }) => isIpv6(subnet)),
  })
  if (hostBinding !== undefined && hostBinding !== "0.0.0.0") {
    const option = childField(field, DOCKER_OPTIONS.hostBinding, hostBinding)
    refuse(option, "is not offered here: give each published port its address")
  }
  const request: CreateNetworkRequest = {
    ...options,
    name: body.name,
    driver,
    subnets: body.pools.map(subnetRequest).filter(isPresent),
    internal: body.internal,
    labels: { ...body.labels, ...keptLabel(body) },
    ...presentOnly({ ipv4: body.enableIpv4 ?? options.ipv4, ipv6: body.enableIpv6 ?? options.ipv6, bridge }),
  }
  const issues = [...field.issues, ...poolIssues(body), ...labelIssues(body), ...checkCreateNetwork(request).issues]
  if (issues.length > 0) {
    throw new Refusal(400, ["invalid network config:", ...issueLines(issues.map(asDocker(request)))].join("\n"))
  }
  return request
}

/** "linkspan" is the plugin's name in Docker, so that one compose file serves both. */
function driverOf({ driver, ingress, scope }: CreateBody): NetworkDriver {
  if (ingress) {
    throw new Refusal(403, "Ingress network can only be global scope network")
  }
  if (scope === "swarm") {
    throw new Refusal(403, "cannot create a swarm scoped network when swarm is not active")
  }
  if (scope !== "" && scope !== "local") {
    throw new Refusal(400, `invalid scope ${JSON.stringify(scope)}: networks are local here`)
  }
  switch (driver) {
    case "":
    case "linkspan":
      return "bridge"
    case "overlay":
      throw new Refusal(
        403,
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
      )
    case "host":
    case "null":
      throw new Refusal(403, `only one instance of "${driver}" network is allowed`)
    default: {
      const known = NETWORK_DRIVERS.find((name) => name === driver)
      if (known === undefined) {
        throw new Refusal(404, `plugin ${JSON.stringify(driver)} not found`)
      }
      return known
    }
  }
}

function refuseForeign({ name, ipamDriver }: CreateBody): void {
  if (name === "") {
    throw new Refusal(400, "invalid network name: name is empty")
  }
  if (isPredefined(name)) {
    throw new Refusal(403, `operation is not permitted on predefined ${name} network `)
  }
  if (ipamDriver === "null") {
    throw new Refusal(
      400,
      'IPAM driver "null" is not offered: without addresses there is gateway mode "isolated" with --ipv4=false',
    )
  }
  if (ipamDriver !== "" && ipamDriver !== "default" && ipamDriver !== "linkspan") {
    throw new Refusal(404, `plugin ${JSON.stringify(ipamDriver)} not found`)
  }
}

/** A pool without anything in it asks for nothing, and one without a subnet is refused elsewhere. */
function subnetRequest({ subnet, range, gateway, auxiliary }: Pool): SubnetRequest | undefined {
  const reserved = Object.values(auxiliary)
  return subnet === undefined
    ? undefined
    : {
        prefix: subnet,
        ...presentOnly({ gateway, range: range === undefined ? undefined : wholePrefix(range) }),
        ...(reserved.length === 0 ? {} : { reserved }),
      }
}

/** Docker takes a range's host bits for zeros. */
function wholePrefix(text: string): string {
  const parsed = parseInterface(text)
  return parsed === undefined ? text : prefixOf(parsed.ip, parsed.length)
}

function isIpv6(subnet: string | undefined): boolean {
  const parsed = subnet === undefined ? undefined : parseInterface(subnet)
  return parsed !== undefined && prefixFamily(prefixOf(parsed.ip, parsed.length)) === 6
}

function poolIssues({ pools }: CreateBody): readonly Issue[] {
  const field: Field = { value: pools, path: "IPAM.Config", issues: [] }
  for (const [index, { subnet, range, gateway, auxiliary }] of pools.entries()) {
    const own = childField(field, index, undefined)
    if (subnet === undefined && (range !== undefined || gateway !== undefined || Object.keys(auxiliary).length > 0)) {
      refuse(own, "has a range, gateway or auxiliary address without a Subnet that it is in")
    }
    for (const name of Object.keys(auxiliary)) {
      if (name === "DefaultGatewayIPv4" || name === "DefaultGatewayIPv6") {
        refuse(own, `has ${name}, which is not offered: containers are routed by the host, or by nobody`)
      }
    }
  }
  return field.issues
}

function labelIssues({ labels }: CreateBody): readonly Issue[] {
  return Object.hasOwn(labels, KEPT_LABEL)
    ? [{ path: `Labels.${KEPT_LABEL}`, message: "is linkspan's own: choose another key" }]
    : []
}

function keptLabel(body: CreateBody): Readonly<Record<string, string>> {
  const auxiliary = Object.fromEntries(
    body.pools.flatMap((pool) =>
      Object.entries(pool.auxiliary).map(([name, text]) => [name, parseIp(text) ?? text] as const),
    ),
  )
  const kept: Kept = {
    ...(body.driver === "linkspan" ? { driver: body.driver } : {}),
    ...(Object.keys(body.options).length === 0 ? {} : { options: body.options }),
    ...(body.attachable ? { attachable: true } : {}),
    ...(Object.keys(body.ipamOptions).length === 0 ? {} : { ipamOptions: body.ipamOptions }),
    ...(Object.keys(auxiliary).length === 0 ? {} : { auxiliary }),
    ...(body.configFrom === undefined ? {} : { configFrom: body.configFrom }),
  }
  // Also when it is empty: it tells that the options are as they were written.
  return { [KEPT_LABEL]: JSON.stringify(kept) }
}

const FIELDS: readonly (readonly [RegExp, string])[] = [
  [/^name$/, "Name"],
  [/^ipv4$/, "EnableIPv4"],
  [/^ipv6$/, "EnableIPv6"],
  [/^internal$/, "Internal"],
  [/^labels/, "Labels"],
  [/^subnets\[([0-9]+)\]\.prefix$/, "IPAM.Config[$1].Subnet"],
  [/^subnets\[([0-9]+)\]\.gateway$/, "IPAM.Config[$1].Gateway"],
  [/^subnets\[([0-9]+)\]\.range$/, "IPAM.Config[$1].IPRange"],
  [/^subnets\[([0-9]+)\]\.reserved.*$/, "IPAM.Config[$1].AuxiliaryAddresses"],
  [/^subnets\[([0-9]+)\]$/, "IPAM.Config[$1]"],
  [/^mtu$/, `Options.${DOCKER_OPTIONS.mtu}`],
  [/^containerIfname$/, `Options.${DOCKER_OPTIONS.ifnamePrefix}`],
  [/^outbound(\[[0-9]\])?$/, `Options.${DOCKER_OPTIONS.hostIpv4}`],
  [/^masquerade$/, `Options.${DOCKER_OPTIONS.masquerade}`],
  [/^gatewayMode$/, `Options.${DOCKER_OPTIONS.modeIpv4}`],
]

/** A mistake under the name that the field has in Docker. */
function asDocker({ subnets }: CreateNetworkRequest): (issue: Issue) => Issue {
  return ({ path, message }) => {
    const [, index] = /^subnets\[([0-9]+)\]\.prefix$/.exec(path) ?? []
    const asked = index === undefined ? undefined : parseInterface(subnets?.[Number(index)]?.prefix ?? "")
    if (asked !== undefined && prefixOf(asked.ip, asked.length) !== `${asked.ip}/${asked.length}`) {
      const whole = prefixOf(asked.ip, asked.length)
      return { path: "", message: `invalid subnet ${asked.ip}/${asked.length}: it should be ${whole}` }
    }
    const [pattern, name] = FIELDS.find(([one]) => one.test(path)) ?? []
    return pattern === undefined ? { path, message } : { path: path.replace(pattern, name as string), message }
  }
}

/** What was kept, or nothing of a network that another door made. */
export function keptOf(labels: Readonly<Record<string, string>>): Kept | undefined {
  const text = labels[KEPT_LABEL]
  if (text === undefined) {
    return undefined
  }
  try {
    const kept: unknown = JSON.parse(text)
    return typeof kept === "object" && kept !== null ? kept : undefined
  } catch {
    // Written by a user, who may.
    return undefined
  }
}
