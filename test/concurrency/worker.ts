// One of many processes that use the same state at once. Reads tasks, a line of JSON each, and answers each with a line.

import { createInterface } from "node:readline"
import { Linkspan, LinkspanError, type LinkspanOptions } from "../../src/index.ts"
import { random } from "../random.ts"

export interface Chance {
  readonly seed: number
  readonly count: number
  /** Namespaces of this worker alone: no other attaches them. */
  readonly own: readonly { readonly name: string; readonly path: string }[]
  /** Networks that are there all the time. */
  readonly lasting: readonly string[]
  /** Networks that come and go. */
  readonly passing: readonly string[]
}

export type Task =
  | { readonly kind: "create" | "remove"; readonly network: string; readonly ipv6?: boolean }
  | ({ readonly kind: "chance" } & Chance)

/** How often each thing ended how: "attach: done", "attach: PORT_IN_USE". */
export type Tally = Readonly<Record<string, number>>

const PORTS = 12

/** What may come of a request that others get in the way of. */
const FAIR = new Set([
  "NETWORK_NOT_FOUND",
  "CONTAINER_NOT_FOUND",
  "ENDPOINT_NOT_FOUND",
  "PUBLICATION_NOT_FOUND",
  "NAME_IN_USE",
  "ALREADY_CONNECTED",
  "PORT_IN_USE",
  "NETWORK_IN_USE",
])

/** A request that no state would allow. */
const UNPUBLISHABLE = "INVALID_REQUEST"

async function takeChances(linkspan: Linkspan, { seed, count, own, lasting, passing }: Chance): Promise<Tally> {
  const pick = random(seed)
  const one = <T>(of: readonly T[]): T => of[pick(of.length)] as T
  const networks = [...lasting, ...lasting, ...passing]
  const port = (): { hostPort?: number; containerPort: number; count: number } => {
    const containerPort = 80 + pick(3)
    return pick(3) === 0
      ? { containerPort, count: 1 }
      : { hostPort: 7000 + pick(PORTS), containerPort, count: 1 + pick(2) }
  }
  const verbs: Readonly<Record<string, () => Promise<unknown>>> = {
    attach: () => {
      const { name, path } = one(own)
      const first = one(networks)
      const second = one(networks)
      const joined = first === second || pick(2) === 0 ? [first] : [first, second]
      return linkspan.attach({
        name,
        netns: { kind: "path", path },
        networks: joined.map((network) => ({ network, gatewayPriority: pick(3) })),
        publish: pick(2) === 0 ? [port()] : [],
      })
    },
    detach: () => linkspan.detach(one(own).name),
    connect: () => linkspan.networks.connect({ container: one(own).name, network: one(networks) }),
    disconnect: () => linkspan.networks.disconnect({ container: one(own).name, network: one(networks) }),
    publish: () => linkspan.publish(one(own).name, [port()]),
    unpublish: () => linkspan.unpublish(one(own).name, [{ containerPort: 80 + pick(3) }]),
    create: () => linkspan.networks.create({ name: one(passing), ipv6: pick(2) === 0, icc: pick(4) > 0 }),
    remove: () => linkspan.networks.remove(one(passing), { force: pick(4) === 0 }),
    update: () => linkspan.networks.update({ network: one(networks), icc: pick(2) === 0, mtu: 1400 + pick(3) * 50 }),
    reconcile: () => linkspan.reconcile(),
  }
  const weighted = [
    "attach",
    "attach",
    "attach",
    "attach",
    "detach",
    "detach",
    "connect",
    "connect",
    "disconnect",
    "publish",
    "publish",
    "unpublish",
    "create",
    "remove",
    "update",
    "reconcile",
  ]
  const tally: Record<string, number> = {}
  for (let index = 0; index < count; index++) {
    const verb = one(weighted)
    const outcome = await outcomeOf(verbs[verb] as () => Promise<unknown>)
    tally[`${verb}: ${outcome}`] = (tally[`${verb}: ${outcome}`] ?? 0) + 1
  }
  return tally
}

async function outcomeOf(act: () => Promise<unknown>): Promise<string> {
  try {
    await act()
    return "done"
  } catch (error) {
    if (error instanceof LinkspanError && (FAIR.has(error.code) || error.code === UNPUBLISHABLE)) {
      return error.code
    }
    throw error
  }
}

async function carryOut(linkspan: Linkspan, task: Task): Promise<Tally> {
  switch (task.kind) {
    case "create":
      await linkspan.networks.create({ name: task.network, ...(task.ipv6 === undefined ? {} : { ipv6: task.ipv6 }) })
      return { create: 1 }
    case "remove":
      await linkspan.networks.remove(task.network)
      return { remove: 1 }
    case "chance":
      return takeChances(linkspan, task)
  }
}

async function main(options: LinkspanOptions): Promise<void> {
  process.stdout.write("{}\n")
  for await (const line of createInterface(process.stdin)) {
    // As commands do, each is a fresh start: opening the state is part of the race.
    await using linkspan = await Linkspan.open({ ...options, names: false })
    process.stdout.write(`${JSON.stringify(await carryOut(linkspan, JSON.parse(line) as Task))}\n`)
  }
}

void main(JSON.parse(process.argv[2] ?? "{}") as LinkspanOptions)
