// Docker's API as a service: what `DOCKER_HOST=unix:///run/linkspan/docker.sock docker network …` talks to.

import type { LinkspanApi } from "#engine/linkspan.ts"
import type { Service } from "#model/service.ts"
import { requestListener } from "./answer.ts"
import { EventLog } from "./event-log.ts"
import { serveRoutes } from "./routes.ts"
import { listenOnTls, type TlsOptions } from "./tls.ts"
import { listenOnSocket, type SocketOptions } from "./unix-socket.ts"

export interface DockerApiOptions extends SocketOptions {
  /** Serve it there as well. */
  readonly tls?: TlsOptions
  /** One line of what went wrong. */
  readonly log?: (line: string) => void
}

/** @throws LinkspanError STATE_UNUSABLE when it cannot be served there */
export async function serveDockerApi(linkspan: LinkspanApi, options: DockerApiOptions): Promise<Service> {
  const { socket, tls, log = () => undefined } = options
  const events = new EventLog(await linkspan.state(), () =>
    BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)),
  )
  const handler = requestListener(serveRoutes({ linkspan, events, startedAt: new Date().toISOString(), log }), log)
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
