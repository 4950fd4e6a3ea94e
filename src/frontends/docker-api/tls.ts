// The API beyond this machine: over TLS, and only to clients whose certificates are signed by the authority that is given.
// Whoever gets in may change the host's networks, so there is no way to have it without.

import { readFileSync } from "node:fs"
import type { RequestListener } from "node:http"
import { createServer } from "node:https"
import type { TLSSocket } from "node:tls"
import { lasting } from "./answer.ts"
import { unusable } from "./unusable.ts"

export interface TlsOptions {
  readonly hostname: string
  readonly port: number
  /** A directory with ca.pem, cert.pem and key.pem, as DOCKER_CERT_PATH has it on the other side. */
  readonly certificates: string
}

/** @throws LinkspanError STATE_UNUSABLE when the certificates cannot be used or the address is taken */
export async function listenOnTls(handler: RequestListener, options: TlsOptions): Promise<AsyncDisposable> {
  const { hostname, port, certificates } = options
  const place = `https://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`
  await using stack = new AsyncDisposableStack()
  try {
    const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) => readFileSync(`${certificates}/${name}`))
    const mutual = { requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.2" } as const
    const server = createServer({ ca, cert, key, ...mutual }, (request, response) => {
      // A cast: there is no other kind of connection to this server.
      if ((request.socket as TLSSocket).authorized) {
        handler(request, response)
      } else {
        request.socket.destroy()
      }
    })
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen(port, hostname, resolve)
    })
    stack.use(lasting(server))
  } catch (error) {
    throw unusable(place, (error as Error).message, {
      hint: "Give ca.pem, cert.pem and key.pem in one directory, and an address and port of this host that nobody has",
      cause: error,
    })
  }
  return stack.move()
}
