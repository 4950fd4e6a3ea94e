// What a container would be told about a name, by whom and why. Asked here and not of the daemon: the same resolver on
// the same state gives the same answer.

import { Resolver } from "#dns/resolver.ts"
import { accept } from "#model/field.ts"
import { quote } from "#model/quote.ts"
import type { NameQueryRequest } from "#model/request.ts"
import { checkNameQuery } from "#model/validate-name-query.ts"
import type { NameRecord } from "#model/view.ts"
import { TYPE } from "#wire/dns/constants.ts"
import { findSandbox } from "../find.ts"
import type { Host } from "../host.ts"
import type { NameAnswer } from "../linkspan.ts"
import { askFromHost } from "./ask-from-host.ts"
import { directoryOf } from "./directory.ts"
import { readObjects } from "./read-objects.ts"
import { recordsOf } from "./records.ts"
import { hostServers } from "./upstreams.ts"

/** @throws LinkspanError CONTAINER_NOT_FOUND */
export async function queryName(
  host: Host,
  request: NameQueryRequest,
  { giveUpMs }: { readonly giveUpMs?: number } = {},
): Promise<NameAnswer> {
  const title = `look up ${quote(request?.name)}`
  const { name, type, from } = accept(`Cannot ${title}`, checkNameQuery(request))
  const { body: sandbox } = findSandbox(host, title, from)
  using resolver = new Resolver(directory(host), {
    connect: (server, transport) => askFromHost(host, server, transport),
    ...(giveUpMs === undefined ? {} : { giveUpMs }),
  })
  const container = sandbox.sharedWith ?? sandbox.id
  return { name, type, ...(await resolver.explain(name, TYPE[type], { kind: "container", id: container })) }
}

export function listNames(host: Host): NameRecord[] {
  return recordsOf(directory(host))
}

function directory(host: Host) {
  return directoryOf(readObjects(host.store), hostServers())
}
