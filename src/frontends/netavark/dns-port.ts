// Where aardvark-dns listens (`dns_bind_port` in containers.conf), as Podman says it.

import { NAME_SERVER_PORT } from "#model/dns.ts"
import { NetavarkError } from "./error.ts"

/** @throws NetavarkError when the port in the environment is none */
export function dnsPort(env: Readonly<Record<string, string | undefined>>): number {
  const text = env["NETAVARK_DNS_PORT"]
  if (text === undefined) {
    return NAME_SERVER_PORT
  }
  if (!/^[0-9]+$/.test(text) || Number(text) > 0xffff) {
    throw new NetavarkError(
      `Invalid NETAVARK_DNS_PORT ${text}: ${/^[0-9]+$/.test(text) ? "number too large to fit in target type" : "invalid digit found in string"}`,
    )
  }
  return Number(text)
}
