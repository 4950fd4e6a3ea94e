// The second half of every verb that connects containers, where networks have a DHCP server: the interfaces are there,
// and addresses are asked for. That takes as long as the server takes, so it is no part of the transaction: nobody else
// waits for it. A command that dies meanwhile leaves an interface without an address, which the process that keeps leases
// gives one.

import { getLink } from "#kernel/links.ts"
import { Namespace } from "#kernel/namespace.ts"
import { SystemCallError } from "#kernel/syscall.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Id } from "#model/name.ts"
import { lowerLink, type Network } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { Host } from "../host.ts"
import { type Asking, type Obtained, obtainLease } from "./obtain.ts"
import { settleLease } from "./settle-lease.ts"

/** Some servers look for three seconds whether an address is free before they offer it. */
const TIMEOUT_MS = 10_000

/** An endpoint that waits for an address. */
interface Waiting {
  readonly endpoint: Endpoint
  readonly network: Network
}

export interface LeaseRequest {
  /** 'attach container "a"': what cannot be done without a lease. */
  readonly title: string
  readonly sandbox: Id
  /** Takes back what the verb has done so far. */
  readonly undo: () => void
}

/** @throws LinkspanError NO_LEASE, after everything has been undone */
export async function takeLeases(host: Host, { title, sandbox: id, undo }: LeaseRequest): Promise<void> {
  const sandbox = host.store.sandboxOfId(id)?.body
  const waiting = sandbox === undefined ? [] : waitingOf(host, id)
  if (sandbox === undefined || waiting.length === 0) {
    return
  }
  const obtained = await Promise.all(
    waiting.map(({ endpoint }) => obtainFor(host, sandbox, endpoint, { timeoutMs: TIMEOUT_MS })),
  )
  try {
    const failures = waiting.flatMap(({ endpoint, network }, index) => {
      // A cast: there are as many.
      const one = obtained[index] as Obtained
      if ("lease" in one) {
        // Also where another one fails: what is in the state is given back with it.
        settleLease(host, endpoint.id, one.lease)
      }
      return "lease" in one ? [] : [{ network, text: `${one.reason} on network "${network.name}"` }]
    })
    const [first] = failures
    if (first !== undefined) {
      throw new LinkspanError("NO_LEASE", {
        message: `Cannot ${title}: ${failures.map(({ text }) => text).join("; ")}`,
        hint: hintFor(first.network),
      })
    }
  } catch (error) {
    undo()
    throw error
  }
}

function waitingOf(host: Host, sandbox: Id): Waiting[] {
  return host.store.endpointsOfSandbox(sandbox).flatMap(({ body }) => {
    const network = host.store.networkOfId(body.network)?.body
    return network?.ipam === "dhcp" && body.lease === undefined ? [{ endpoint: body, network }] : []
  })
}

/** A lease for an endpoint of a container. */
export async function obtainFor(
  host: Host,
  sandbox: Sandbox,
  endpoint: Endpoint,
  how: Pick<Asking, "timeoutMs" | "wanted">,
): Promise<Obtained> {
  const netns = host.openSandbox(sandbox)
  if (netns === undefined) {
    return { reason: "the container's network namespace is gone" }
  }
  using namespace = new Namespace(netns, sandbox.id, host.trace)
  const index = getLink(namespace.rtnl, endpoint.ifname)?.index
  // Closed now: this may take long, and a namespace that is held lives on.
  namespace.close()
  if (index === undefined) {
    return { reason: `the container has no interface "${endpoint.ifname}"` }
  }
  try {
    return await obtainLease({
      netns,
      index,
      client: { mac: endpoint.mac, hostname: sandbox.hostname },
      ...how,
    })
  } catch (error) {
    if (error instanceof SystemCallError) {
      return { reason: `DHCP is not possible (${error.message})` }
    }
    throw error
  }
}

function hintFor(network: Network): string {
  const link = lowerLink(network)
  return network.driver === "macvlan"
    ? `Check that a DHCP server is reachable through "${link}"; one on this host itself is not, with macvlan`
    : `Check that a DHCP server is on bridge "${link}"`
}
