// Docker's plugin as a service: one socket in the directory where dockerd looks for plugins. Whoever may write to it has
// all of the host's networks, so it is root's alone.

import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs"
import { dirname } from "node:path"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { isServed } from "#engine/private-socket.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Service } from "#model/service.ts"
import { ACTIVATE, methodOf, reply } from "./answer.ts"
import { optionalText, parseMessage } from "./message.ts"
import { DOCKER_API, Names } from "./names.ts"
import { passDockerAgain } from "./own-filter.ts"

/** Where dockerd looks first. The file's name is the driver's: `docker network create --driver linkspan`. */
export const PLUGIN_SOCKET = "/run/docker/plugins/linkspan.sock"

export interface DockerPluginOptions {
  /** {@link PLUGIN_SOCKET} when absent. */
  readonly socket?: string
  /** Docker's own API, which is asked for names where it is there; {@link DOCKER_API} when absent. */
  readonly api?: string
  /** What went wrong without failing a call. */
  readonly log?: (line: string) => void
  /** A line for each call. */
  readonly trace?: (line: string) => void
}

/** Sixty-five thousand published ports, listed twice. */
const LARGEST_BODY = 64 * 1024 * 1024

/** @throws LinkspanError BUSY when another process serves that socket */
export async function serveDockerPlugin(linkspan: LinkspanApi, options: DockerPluginOptions = {}): Promise<Service> {
  const path = options.socket ?? PLUGIN_SOCKET
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  if (await isServed(path)) {
    throw new LinkspanError("BUSY", {
      message: `Cannot serve Docker's plugin at "${path}": another process does`,
      hint: "Stop that one first",
    })
  }
  // Under a name of its own until nobody else can use it: dockerd and others look only at the final one.
  const draft = `${path}.${process.pid}`
  rmSync(draft, { force: true })
  const names = new Names(linkspan, { api: options.api ?? DOCKER_API, ...(options.log && { log: options.log }) })
  await names.wantAll()
  const ports = await linkspan.cables.holdPorts()
  ports.follow()
  const server = Bun.serve({
    unix: draft,
    // Bun's own would cut a call off after ten seconds, and dockerd would repeat it without its body. Its types know
    // the option for TCP only.
    ...({ idleTimeout: 0 } as object),
    maxRequestBodySize: LARGEST_BODY,
    async fetch(request) {
      const began = performance.now()
      const body = await request.text()
      const { status, answer } = await reply(linkspan, request.url, body, {
        ports,
        ...(options.log && { log: options.log }),
      })
      const text = JSON.stringify(answer)
      if (methodOf(request.url) === ACTIVATE) {
        // Not awaited by dockerd: it may be at its own filter.
        void passDockerAgain(linkspan).then((problem) => problem !== undefined && options.log?.(problem))
        void names.wantAll()
      }
      const network = status === 200 ? networkOf(request.url, body) : undefined
      if (network !== undefined) {
        names.want(network)
      }
      options.trace?.(`${request.url} ${body} -> ${status} ${text} (${(performance.now() - began).toFixed(1)} ms)`)
      return new Response(text, { status, headers: { "content-type": "application/vnd.docker.plugins.v1.2+json" } })
    },
  })
  chmodSync(draft, 0o600)
  renameSync(draft, path)
  const own = statSync(path).ino
  return {
    name: "docker-plugin",
    address: path,
    async [Symbol.asyncDispose]() {
      if (inodeOf(path) === own) {
        rmSync(path, { force: true })
      }
      await server.stop(false)
      ports[Symbol.dispose]()
      await names[Symbol.asyncDispose]()
    },
  }
}

/** Which network a call was about, when what is called something may have changed. */
function networkOf(url: string, body: string): string | undefined {
  const method = methodOf(url)
  return method === "NetworkDriver.CreateNetwork" || method === "NetworkDriver.Join"
    ? optionalText(parseMessage(method, body), "NetworkID")
    : undefined
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}
