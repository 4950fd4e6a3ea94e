// One question to one upstream server: over UDP, and again over TCP when the answer was cut short or did not keep the
// question's letters as they were sent.

import type { Ip } from "#inet/ip.ts"
import { type Response, readResponse } from "#wire/dns/response.ts"
import { matchReply, type UpstreamQuestion, upstreamQuery } from "#wire/dns/upstream.ts"
import { type Line, type LineEvents, type LineOptions, openTcpLine, openUdpLine } from "./upstream-line.ts"

export interface ExchangeOptions extends LineOptions {
  readonly server: Ip
  readonly question: UpstreamQuestion
  readonly signal: AbortSignal
  /** Servers that are known not to keep the case of letters. */
  readonly flatCase: Set<Ip>
}

/** `undefined`: the server cannot be reached, or was given up. */
export async function exchange(options: ExchangeOptions): Promise<Response | undefined> {
  const { server, question, flatCase } = options
  const query = upstreamQuery(question, chance(), !flatCase.has(server))
  const first = await converse(openUdpLine, query, options)
  if (first === undefined) {
    return undefined
  }
  if (first.match === "exact" && !first.response.truncated) {
    return first.response
  }
  // Nobody forges what a connection brings: so this tells a server that folds letters from a forger who guessed.
  const second = await converse(openTcpLine, query, options)
  if (second?.match === "case") {
    flatCase.add(server)
  }
  return second?.response
}

interface Matched {
  readonly match: "exact" | "case"
  readonly response: Response
}

async function converse(
  open: (server: Ip, events: LineEvents, options: LineOptions) => Promise<Line>,
  query: Uint8Array,
  options: ExchangeOptions,
): Promise<Matched | undefined> {
  const { server, signal } = options
  const questionEnd = query.length - (options.question.edns ? OPT_BYTES : 0)
  const { promise, resolve } = Promise.withResolvers<Matched | undefined>()
  const giveUp = (): void => resolve(undefined)
  signal.addEventListener("abort", giveUp, { once: true })
  try {
    const events: LineEvents = {
      message(bytes) {
        const match = matchReply(bytes, query)
        const response = match === "no" ? undefined : readResponse(bytes, questionEnd)
        if (match !== "no" && response !== undefined) {
          resolve({ match, response })
        }
      },
      failure: giveUp,
    }
    if (signal.aborted) {
      return undefined
    }
    using line = await open(server, events, options)
    line.send(query)
    return await promise
  } catch {
    // No route, no permission, no descriptor left: to the asker all the same as a server that is silent.
    return undefined
  } finally {
    signal.removeEventListener("abort", giveUp)
  }
}

const OPT_BYTES = 11
const CHANCE_BYTES = 66

function chance(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(CHANCE_BYTES))
}
