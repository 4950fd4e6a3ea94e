// One call of dockerd's to one answer. Errors are HTTP 500 with the text under both names that Docker looks for: its
// network side reads "Err", its IPAM side "Error" (daemon/libnetwork, drivers/remote and ipams/remote).

import type { LinkspanApi } from "#engine/linkspan.ts"
import { LinkspanError } from "#model/errors.ts"
import { IPAM_DRIVER } from "./ipam-driver.ts"
import { type Answer, parseMessage } from "./message.ts"
import { type Call, type Method, NETWORK_DRIVER } from "./network-driver.ts"

/** The first call of each dockerd's life that is about linkspan. */
export const ACTIVATE = "Plugin.Activate"

const IMPLEMENTS: Answer = { Implements: ["NetworkDriver", "IpamDriver"] }

const METHODS: ReadonlyMap<string, Method> = new Map([
  [ACTIVATE, () => Promise.resolve(IMPLEMENTS)],
  ...Object.entries(NETWORK_DRIVER).map(([name, method]) => [`NetworkDriver.${name}`, method] as const),
  ...Object.entries(IPAM_DRIVER).map(([name, method]) => [`IpamDriver.${name}`, method] as const),
])

/** These are called without a body. */
const BODILESS = /^Plugin\.Activate$|\.Get[A-Za-z]+$/

export interface Reply {
  readonly status: number
  readonly answer: Answer
}

/** @param url "/IpamDriver.RequestPool" with or without an origin: with Docker 20.10 the Host header is empty. */
export async function reply(
  linkspan: LinkspanApi,
  url: string,
  body: string,
  { log = () => undefined, ports }: Partial<Omit<Call, "isOld">> = {},
): Promise<Reply> {
  const method = methodOf(url)
  const call = METHODS.get(method)
  if (call === undefined) {
    // Docker takes 404 for "does not have it", and goes on where it can.
    return { status: 404, answer: failure(`linkspan's plugin has no method ${JSON.stringify(method)}`) }
  }
  try {
    const message = BODILESS.test(method) ? {} : parseMessage(method, body)
    return { status: 200, answer: await call(linkspan, message, { isOld: /^([a-z]+:\/\/)?\//.test(url), ports, log }) }
  } catch (error) {
    return { status: 500, answer: failure(sentenceOf(error)) }
  }
}

export function methodOf(url: string): string {
  return /^(?:[a-z]+:\/\/[^/]*)?\/([^?]*)/.exec(url)?.[1] ?? ""
}

function failure(message: string): Answer {
  return { Err: message, Error: message }
}

/** Everything in one line: Docker shows nothing else. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof LinkspanError)) {
    return `Internal error: ${error instanceof Error ? error.message : String(error)}`
  }
  const issues = error.issues.map(({ path, message }) => (path === "" ? message : `${path} ${message}`)).join("; ")
  const hint = error.hint === undefined ? "" : `. ${error.hint}`
  return `${error.message}${issues === "" ? "" : `: ${issues}`}${hint}`
}
