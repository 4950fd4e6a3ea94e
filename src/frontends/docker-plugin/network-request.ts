// Docker's description of a network as a request for one. What only later calls need of it is kept in the network's
// labels, under Docker's own names, so that nothing is remembered beside the network.

import { type Family, family, parseIp } from "#inet/ip.ts"
import { DOCKER_LABELS, DOCKER_OPTIONS, readDockerOptions } from "#model/docker-options.ts"
import { accept, checked, childField, refuse, rootField } from "#model/field.ts"
import type { Network } from "#model/network.ts"
import type { CreateNetworkRequest, SubnetRequest } from "#model/request.ts"
import { toId } from "./ids.ts"
import { type Message, object, objects, optionalText, text } from "./message.ts"

export const DRIVER_OPTION = DOCKER_OPTIONS

const GENERIC = "com.docker.network.generic"
const INTERNAL = "com.docker.network.internal"

/** Auxiliary addresses of these names are the gateways that Docker gives to containers instead of the bridge. */
const GATEWAY_BESIDE = { 4: "DefaultGatewayIPv4", 6: "DefaultGatewayIPv6" } as const

/** Docker obeys these itself, for every driver. */
const DOCKERS_OWN: readonly string[] = [DOCKER_OPTIONS.advertiseCount, DOCKER_OPTIONS.advertisePause]

export function networkRequest(message: Message): { readonly request: CreateNetworkRequest; readonly bridge?: string } {
  const dockerId = text(message, "NetworkID")
  const id = toId(dockerId)
  const options = object(message, "Options")
  const internal = options[INTERNAL] === true
  const data = [...objects(message, "IPv4Data"), ...objects(message, "IPv6Data")]
  const root = rootField(message)
  const subnets = data.map((one, index) => subnetOf(one, () => childField(root, `IPAM[${index}]`, one)))
  const has = (version: Family): boolean => subnets.some(({ prefix }) => prefix.includes(":") === (version === 6))
  const generic = Object.entries(object(options, GENERIC)).filter(([key]) => !DOCKERS_OWN.includes(key))
  const own = readDockerOptions(childField(root, "option", Object.fromEntries(generic)), {
    driver: "bridge",
    internal,
    ipv4: has(4),
    ipv6: has(6),
  })
  accept(`Cannot create network "${id}"`, checked(root, own))
  const { ipv4: _, ipv6: __, ...request } = own.request
  const isIsolated = request.gatewayMode === "isolated"
  return {
    request: {
      ...request,
      id,
      name: `docker-${id}`,
      internal,
      ipv4: has(4),
      ipv6: has(6),
      subnets: isIsolated ? subnets.map(withoutGateway) : subnets,
      // Docker answers names itself, inside each container.
      dns: false,
      labels: {
        [DOCKER_LABELS.id]: dockerId,
        ...(own.hostBinding === undefined ? {} : { [DOCKER_OPTIONS.hostBinding]: own.hostBinding }),
        ...gatewayLabels(data),
      },
    },
    ...(own.bridge === undefined ? {} : { bridge: own.bridge }),
  }
}

function subnetOf(data: Message, field: () => Parameters<typeof refuse>[0]): SubnetRequest {
  const prefix = text(data, "Pool")
  if (prefix.endsWith("/0")) {
    refuse(field(), 'is no subnet: the network needs addresses, so it cannot have the IPAM driver "null"')
  }
  const gateway = withoutLength(optionalText(data, "Gateway"))
  const reserved = Object.values(object(data, "AuxAddresses")).flatMap((address) => withoutLength(address) ?? [])
  return { prefix, reserved, ...(gateway === undefined ? {} : { gateway }) }
}

function withoutGateway({ gateway, reserved, ...rest }: SubnetRequest): SubnetRequest {
  // Docker holds the address, and gives it to nobody.
  return { ...rest, reserved: [...(reserved ?? []), ...(gateway === undefined ? [] : [gateway])] }
}

function withoutLength(address: unknown): string | undefined {
  return typeof address === "string" && address !== "" ? address.split("/")[0] : undefined
}

function gatewayLabels(data: readonly Message[]): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const auxiliary of data.map((one) => object(one, "AuxAddresses"))) {
    for (const key of Object.values(GATEWAY_BESIDE)) {
      const ip = withoutLength(auxiliary[key])
      if (ip !== undefined) {
        labels[key] = ip
      }
    }
  }
  return labels
}

/** Where the containers' default routes lead instead of to the bridge. */
export function gatewaysBeside({ labels }: Network): Partial<Record<Family, ReturnType<typeof parseIp>>> {
  return Object.fromEntries(
    Object.values(GATEWAY_BESIDE).flatMap((key) => {
      const ip = parseIp(labels[key] ?? "")
      return ip === undefined ? [] : [[family(ip), ip]]
    }),
  )
}
