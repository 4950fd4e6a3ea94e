// Docker's configuration networks (`docker network create --config-only`): a network's settings under a name, for
// networks that are made --config-from it. Nothing of linkspan's but notes.

import type { LinkspanApi } from "#engine/linkspan.ts"
import type { Id } from "#model/name.ts"
import type { State } from "#model/view.ts"
import { dockerId } from "./identity.ts"
import { type CreateBody, keptOf } from "./network-request.ts"
import { Refusal } from "./refusal.ts"

const DOOR = "docker-api"
const PREFIX = "config/"

export interface ConfigNetwork {
  readonly id: Id
  readonly name: string
  readonly createdAt: string
  readonly body: CreateBody
}

export async function listConfigs({ notes }: LinkspanApi): Promise<ConfigNetwork[]> {
  return [...(await notes.list(DOOR))]
    .filter(([key]) => key.startsWith(PREFIX))
    .map(([, text]) => JSON.parse(text) as ConfigNetwork)
}

/** The name is nobody's yet. @throws LinkspanError NAME_IN_USE */
export async function putConfig({ notes }: LinkspanApi, body: CreateBody): Promise<ConfigNetwork> {
  const id = crypto.getRandomValues(new Uint8Array(6)).toHex()
  const config = { id, name: body.name, createdAt: new Date().toISOString(), body }
  await notes.put({ door: DOOR, key: `${PREFIX}${body.name}`, text: JSON.stringify(config) })
  return config
}

/** @throws Refusal 403 while networks are made from it, 404 when it is gone */
export async function removeConfig(
  { notes }: LinkspanApi,
  { name }: ConfigNetwork,
  { networks }: State,
): Promise<void> {
  if (networks.some(({ labels }) => keptOf(labels)?.configFrom === name)) {
    throw new Refusal(403, `error while removing network: configuration network ${JSON.stringify(name)} is in use`)
  }
  if (!(await notes.remove({ door: DOOR, key: `${PREFIX}${name}` }))) {
    throw new Refusal(404, `network ${name} not found`)
  }
}

/** What a network made from it is. @throws Refusal 404, 400 when the network has settings of its own as well */
export function configured(body: CreateBody, configs: readonly ConfigNetwork[]): CreateBody {
  const { configFrom } = body
  if (configFrom === undefined) {
    return body
  }
  const config = configs.find(({ name, id }) => name === configFrom || dockerId(id) === configFrom)
  if (config === undefined) {
    throw new Refusal(404, `could not find configuration network ${JSON.stringify(configFrom)}`)
  }
  const own = [
    ...(body.pools.length > 0 ? ["IPAM.Config"] : []),
    ...(Object.keys(body.options).length > 0 ? ["Options"] : []),
    ...(body.internal ? ["Internal"] : []),
  ]
  if (own.length > 0) {
    throw new Refusal(
      403,
      `user specified configurations are not supported if the network depends on a configuration network: leave out ${own.join(", ")}`,
    )
  }
  return {
    ...config.body,
    name: body.name,
    driver: body.driver,
    attachable: body.attachable,
    labels: { ...config.body.labels, ...body.labels },
    configOnly: false,
    configFrom: config.name,
  }
}

export function configObject({ id, name, createdAt, body }: ConfigNetwork): Record<string, unknown> {
  return {
    Name: name,
    Id: dockerId(id),
    Created: createdAt,
    Scope: "local",
    Driver: "null",
    EnableIPv4: body.enableIpv4 ?? true,
    EnableIPv6: body.enableIpv6 ?? false,
    // The daemon shows none of a configuration's subnets.
    IPAM: { Driver: "default", Options: body.ipamOptions, Config: null },
    Internal: body.internal,
    Attachable: body.attachable,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: true,
    Options: body.options,
    Labels: body.labels,
  }
}
