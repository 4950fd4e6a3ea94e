// Docker's API as a service: what `DOCKER_HOST=unix:///run/linkspan/docker.sock docker network …` talks to.

import type { LinkspanApi } from "#engine/linkspan.ts"
import type { Service } from "#model/service.ts"
import { requestListener } from "./answer.ts"
import type { Beside } from "./beside.ts"
import { EventLog } from "./event-log.ts"
import { serveRoutes } from "./routes.ts"
import { listenOnTls, type TlsOptions } from "./tls.ts"
import { listenOnSocket, type SocketOptions } from "./unix-socket.ts"

export interface DockerApiOptions extends SocketOptions {
  /** Serve it there as well. */
  readonly tls?: TlsOptions
  /** Another API that is served at the same places. */
  readonly beside?: Beside
  /** One line of what went wrong. */
  readonly log?: (line: string) => void
}

/** @throws LinkspanError STATE_UNUSABLE when it cannot be served there */
export async function serveDockerApi(linkspan: LinkspanApi, options: DockerApiOptions): Promise<Service> {
  const { socket, tls, beside, log = () => undefined } = options
  const events = new EventLog(await linkspan.state(), () =>
    BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)),
  )
  const parts = { linkspan, events, startedAt: new Date().toISOString(), log }
  const handler = requestListener(serveRoutes({ ...parts, ...(beside === undefined ? {} : { beside }) }), log)
  await using stack = new AsyncDisposableStack()
  stack.use(await listenOnSocket(handler, options))
  if (tls !== undefined) {
    stack.use(await listenOnTls(handler, tls))
  }
  stack.use(await linkspan.watchState((state) => events.follow(state)))
  const running = stack.move()
  return {
    name: "Docker's API for networks",
    address: tls === undefined ? socket : `${socket} and port ${tls.port}`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
