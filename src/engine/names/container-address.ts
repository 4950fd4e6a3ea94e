import type { Ip } from "#inet/ip.ts"
import type { Endpoint } from "#model/sandbox.ts"

export const PORT = 53
/** Where every container asks; what Docker's users know. */
export const CONTAINER_ADDRESS = "127.0.0.11" as Ip

/** A name server itself, in whose namespace a socket at port 53 would stand in the way of the one that it is all about. */
export function servesNames({ publications }: Endpoint): boolean {
  return publications.some(({ containerPort, count }) => containerPort <= PORT && PORT < containerPort + count)
}
