// From a request to set a container up, networks and all, to a checked one; and its counterpart.

import {
  type Checked,
  checked,
  type Field,
  isPresent,
  optional,
  presentOnly,
  readBoolean,
  readList,
  readObject,
  refuse,
  required,
  rootField,
} from "./field.ts"
import type { Id, Ifname } from "./name.ts"
import { readHostname, readId, readIfname, readLabels, readName } from "./read-names.ts"
import type { NetnsRequest, SetUpRequest, TearDownRequest } from "./request.ts"
import { readNetns } from "./validate-attach.ts"
import { JOIN_FIELDS, type Join, MOST_NETWORKS, readJoinList, readJoinTo } from "./validate-join.ts"
import { type DescribedNetwork, readDescription } from "./validate-network.ts"
import { type PublicationDraft, readPublications } from "./validate-publish.ts"

/** A join whose `network` is the id of the one that is described. */
export interface DescribedJoin extends Join {
  readonly description: DescribedNetwork
}

export interface SetUp {
  readonly id: Id
  readonly name: string
  readonly hostname?: string
  readonly netns: NetnsRequest
  readonly networks: readonly DescribedJoin[]
  readonly publish: readonly PublicationDraft[]
  readonly portsHeld: boolean
  readonly asksElsewhere: boolean
  readonly onlyNew: boolean
  readonly labels: Readonly<Record<string, string>>
}

export interface TearDown {
  readonly id: Id
  readonly networks?: readonly Id[]
  readonly ifnames?: readonly Ifname[]
}

const SET_UP_FIELDS = {
  id: true,
  name: true,
  hostname: true,
  netns: true,
  networks: true,
  publish: true,
  portsHeld: true,
  asksElsewhere: true,
  onlyNew: true,
  labels: true,
} as const satisfies Record<keyof SetUpRequest, true>

export function checkSetUp(request: unknown): Checked<SetUp> {
  const root = rootField(request)
  const fields = readObject(root, SET_UP_FIELDS)
  if (fields === undefined) {
    return checked<SetUp>(root, undefined)
  }
  const id = required(fields.id, readId)
  const name = required(fields.name, readName)
  const netns = required(fields.netns, readNetns)
  if (netns?.kind === "new") {
    refuse(fields.netns, "must be one that is there already")
  }
  const networks = required(fields.networks, (list) => readJoinList(list, readDescribedJoin))
  const rest = {
    publish: optional(fields.publish, readPublications) ?? [],
    portsHeld: optional(fields.portsHeld, readBoolean) ?? false,
    asksElsewhere: optional(fields.asksElsewhere, readBoolean) ?? false,
    onlyNew: optional(fields.onlyNew, readBoolean) ?? false,
    labels: optional(fields.labels, readLabels) ?? {},
    ...presentOnly({ hostname: optional(fields.hostname, readHostname) }),
  }
  return checked(
    root,
    id === undefined || name === undefined || netns === undefined || networks === undefined
      ? undefined
      : { id, name, netns, networks, ...rest },
  )
}

function readDescribedJoin(field: Field): DescribedJoin | undefined {
  const fields = readObject(field, JOIN_FIELDS)
  const description = fields && required(fields.network, readDescription)
  if (fields === undefined || description === undefined) {
    return undefined
  }
  return { description, ...readJoinTo(description.id, fields) }
}

export function checkTearDown(request: unknown): Checked<TearDown> {
  const root = rootField(request)
  const fields = readObject(root, { id: true, networks: true, ifnames: true } satisfies Record<
    keyof TearDownRequest,
    true
  >)
  const id = fields && required(fields.id, readId)
  const networks = fields && optional(fields.networks, (list) => readList(list, MOST_NETWORKS, readId))
  const ifnames = fields && optional(fields.ifnames, (list) => readList(list, MOST_NETWORKS, readIfname))
  const only = presentOnly({ networks: networks?.filter(isPresent), ifnames: ifnames?.filter(isPresent) })
  return checked(root, id === undefined ? undefined : { id, ...only })
}
