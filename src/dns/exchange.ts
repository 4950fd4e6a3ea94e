// One question to one upstream server: over UDP, and again over TCP when the answer was cut short or did not keep the
// question's letters as they were sent.

import type { Ip } from "#inet/ip.ts"
import { type Response, readResponse } from "#wire/dns/response.ts"
import { matchReply, type UpstreamQuestion, upstreamQuery } from "#wire/dns/upstream.ts"
import type { SharedLines } from "./shared-lines.ts"
import { type LineOptions, openTcpLine } from "./upstream-line.ts"

export interface ExchangeOptions extends LineOptions {
  readonly lines: SharedLines
  /** Servers that are known not to keep the case of letters. */
  readonly flatCase: Set<Ip>
}

export interface Asked {
  readonly server: Ip
  readonly question: UpstreamQuestion
}

/**
 * Calls back once, unless it was given up before; with nothing when the server cannot be reached.
 * @returns what gives it up
 */
export function exchange(
  { server, question }: Asked,
  options: ExchangeOptions,
  onEnd: (response?: Response) => void,
): () => void {
  const { lines, flatCase } = options
  const query = upstreamQuery(question, chance(), !flatCase.has(server))
  let giveUp = lines.ask(server, query, {
    message(bytes) {
      const said = read(bytes, query, question)
      if (said === undefined) {
        // From a forger, or damaged: the true one may still come.
        return
      }
      giveUp()
      if (said.match === "exact" && !said.response.truncated) {
        onEnd(said.response)
        return
      }
      // Nobody forges what a connection brings: so this tells a server that folds letters from a forger who guessed.
      giveUp = overTcp({ server, question }, query, options, (second) => {
        if (second?.match === "case") {
          flatCase.add(server)
        }
        onEnd(second?.response)
      })
    },
    failure: () => onEnd(),
  })
  return () => giveUp()
}

interface Said {
  readonly match: "exact" | "case"
  readonly response: Response
}

function read(bytes: Uint8Array, query: Uint8Array, { edns }: UpstreamQuestion): Said | undefined {
  const match = matchReply(bytes, query)
  const response = match === "no" ? undefined : readResponse(bytes, query.length - (edns ? OPT_BYTES : 0))
  return match === "no" || response === undefined ? undefined : { match, response }
}

function overTcp(
  { server, question }: Asked,
  query: Uint8Array,
  options: LineOptions,
  onEnd: (said?: Said) => void,
): () => void {
  const { promise, resolve } = Promise.withResolvers<Said | undefined>()
  let hasEnded = false
  const giveUp = (): void => {
    hasEnded = true
    resolve(undefined)
  }
  const converse = async (): Promise<void> => {
    using line = await openTcpLine(
      server,
      { message: (bytes) => resolve(read(bytes, query, question)), failure: () => resolve(undefined) },
      options,
    )
    line.send(query)
    const said = await promise
    if (!hasEnded) {
      onEnd(said)
    }
  }
  // No route, no permission, no descriptor left: to the asker all the same as a server that is silent.
  converse().catch(() => hasEnded || onEnd())
  return giveUp
}

const OPT_BYTES = 11
const CHANCE_BYTES = 66

function chance(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(CHANCE_BYTES))
}
