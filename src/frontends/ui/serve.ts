// The page and what it asks for, over HTTP on this machine: a loopback address or a unix socket. Whoever wants data must
// know the token, which is in the printed address's fragment and so in no request line, no log and no referrer.

import { timingSafeEqual } from "node:crypto"
import { rmSync, writeFileSync } from "node:fs"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { leaveSocket, listenPrivately } from "#engine/private-socket.ts"
import { isLoopback, parseIp } from "#inet/ip.ts"
import { ERROR_CODES, LinkspanError } from "#model/errors.ts"
import type { Service } from "#model/service.ts"
import { STYLE } from "#picture/svg.ts"
import HTML from "./page/index.html" with { type: "text" }
import CSS from "./page/style.css" with { type: "text" }
import { pageProgram } from "./page-text.ts" with { type: "macro" }
import { Wiring } from "./wiring.ts"

const PROGRAM = pageProgram()

export interface UiOptions {
  /** "127.0.0.1:8086", "[::1]:0", or the absolute path of a unix socket; a free port of 127.0.0.1 when absent. */
  readonly listen?: string
  /** Written for its owner alone, in place of telling the address: a log has other readers. */
  readonly addressFile?: string
}

/** @throws LinkspanError INVALID_REQUEST, PORT_IN_USE */
export async function serveUi(linkspan: LinkspanApi, options: UiOptions = {}): Promise<Service> {
  const place = readPlace(options.listen ?? "127.0.0.1:0")
  const token = crypto.getRandomValues(new Uint8Array(16)).toHex()
  const wiring = new Wiring(linkspan)
  const fetch = (request: Request): Response | Promise<Response> =>
    answer(request, { linkspan, wiring, token, hosts: hostsOf(server) })
  const server: Bun.Server<undefined> = await listen(place, fetch)
  const address =
    "unix" in place ? `${place.unix} (token ${token})` : `http://${place.host}:${server.port}/#token=${token}`
  const { addressFile } = options
  if (addressFile !== undefined) {
    rmSync(addressFile, { force: true })
    writeFileSync(addressFile, `${address}\n`, { mode: 0o600, flag: "wx" })
  }
  return {
    name: "page",
    address: addressFile ?? address,
    async [Symbol.asyncDispose]() {
      if (addressFile !== undefined) {
        rmSync(addressFile, { force: true })
      }
      wiring[Symbol.dispose]()
      await ("unix" in place ? leaveSocket(place.unix, () => server.stop(true)) : server.stop(true))
      if ("unix" in place) {
        rmSync(place.unix, { force: true })
      }
    },
  }
}

type Place = { readonly unix: string } | { readonly host: string; readonly ip: string; readonly port: number }

function readPlace(text: string): Place {
  if (text.startsWith("/")) {
    return { unix: text }
  }
  const [, host = "", bracketed, port = ""] = /^(\[(.+)\]|[0-9.]+):([0-9]{1,5})$/.exec(text) ?? []
  const ip = parseIp(bracketed ?? host)
  if (ip === undefined || !isLoopback(ip) || Number(port) > 65_535) {
    throw new LinkspanError("INVALID_REQUEST", {
      message: `Cannot serve the page at "${text}": it is no loopback address with a port, nor the path of a socket`,
      hint: "As in 127.0.0.1:8086, [::1]:8086 or /run/linkspan/ui.sock; for others on the network put a proxy with TLS before it",
    })
  }
  return { host, ip, port: Number(port) }
}

type Answer = (request: Request) => Response | Promise<Response>

async function listen(place: Place, fetch: Answer): Promise<Bun.Server<undefined>> {
  if ("unix" in place) {
    return listenPrivately(place.unix, (unix) => Bun.serve({ unix, fetch }))
  }
  try {
    return Bun.serve({ hostname: place.ip, port: place.port, fetch, idleTimeout: 0 })
  } catch (error) {
    throw new LinkspanError("PORT_IN_USE", {
      message: `Cannot serve the page: ${(error as Error).message}`,
      hint: "Choose another address with --listen",
      cause: error,
    })
  }
}

/** A name that leads here from outside (DNS rebinding) is in no list. */
function hostsOf({ port }: Bun.Server<undefined>): readonly string[] | undefined {
  return port === undefined ? undefined : [`127.0.0.1:${port}`, `[::1]:${port}`, `localhost:${port}`]
}

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
}

interface Around {
  readonly linkspan: LinkspanApi
  readonly wiring: Wiring
  readonly token: string
  readonly hosts: readonly string[] | undefined
}

async function answer(request: Request, { linkspan, wiring, token, hosts }: Around): Promise<Response> {
  const url = new URL(request.url)
  if (hosts !== undefined && !hosts.includes(url.host)) {
    return say(421, `This is no server for "${url.host}"`)
  }
  if (request.method !== "GET") {
    return say(405, "Only GET is understood here")
  }
  switch (url.pathname) {
    case "/":
      return send(HTML as unknown as string, "text/html; charset=utf-8")
    case "/page.js":
      return send(PROGRAM, "text/javascript; charset=utf-8")
    case "/style.css":
      return send(STYLE + CSS, "text/css; charset=utf-8")
  }
  if (!isKnown(request, token)) {
    return say(401, "The token is missing or wrong: open the address that linkspan printed")
  }
  switch (url.pathname) {
    case "/api/topology":
      return new Response(wiring.lines(request.signal), {
        headers: { ...HEADERS, "content-type": "application/x-ndjson" },
      })
    case "/api/explain":
      return explain(linkspan, url.searchParams)
    default:
      return say(404, `There is nothing at ${url.pathname}`)
  }
}

function isKnown(request: Request, token: string): boolean {
  const [given, wanted] = [request.headers.get("authorization") ?? "", `Bearer ${token}`].map((text) =>
    Buffer.from(text),
  )
  return given?.length === wanted?.length && timingSafeEqual(given as Buffer, wanted as Buffer)
}

/** TO[:PORT[/PROTOCOL]], an IPv6 address with a port in brackets. */
const TARGET = /^(\[[^\]]+\]|[^:]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(?::([0-9]{1,5})(?:\/(tcp|udp|sctp))?)?$/

async function explain(linkspan: LinkspanApi, asked: URLSearchParams): Promise<Response> {
  const [, to, port, protocol] = TARGET.exec(asked.get("to") ?? "") ?? []
  try {
    const explanation = await linkspan.explain({
      from: asked.get("from") ?? "",
      to: (to ?? "").replaceAll(/[[\]]/g, ""),
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(protocol === undefined ? {} : { protocol: protocol as "tcp" | "udp" | "sctp" }),
    })
    return Response.json(explanation, { headers: HEADERS })
  } catch (error) {
    if (error instanceof LinkspanError) {
      return say(
        ERROR_CODES[error.code].http,
        [error.message, ...error.issues.map(({ message }) => message)].join("; "),
      )
    }
    throw error
  }
}

function send(text: string, type: string): Response {
  return new Response(text, { headers: { ...HEADERS, "content-type": type } })
}

function say(status: number, message: string): Response {
  return Response.json({ message }, { status, headers: HEADERS })
}
