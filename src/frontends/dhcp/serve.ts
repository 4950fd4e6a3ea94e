// The leases' service of the resident process.

import type { LinkspanApi } from "#engine/linkspan.ts"
import type { Service } from "#model/service.ts"

export async function serveLeases(
  linkspan: LinkspanApi,
  { log }: { readonly log: (line: string) => void },
): Promise<Service> {
  const end = new AbortController()
  const kept = linkspan.leases.keep({ log, signal: end.signal })
  // Whoever disposes of it hears of it; until then it is not to end the process.
  kept.catch((error: unknown) => log(`Leases are not renewed: ${(error as Error).message}`))
  return {
    name: "Renewing of DHCP leases",
    address: "udp port 68 of containers",
    async [Symbol.asyncDispose]() {
      end.abort()
      await kept.catch(() => undefined)
    },
  }
}
