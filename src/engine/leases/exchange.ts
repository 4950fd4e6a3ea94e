// One question to DHCP servers, asked again until it is answered: twice as long after every time, and never at the same
// moment as others that began together (RFC 2131 §4.1).

import { becomesReadable } from "#kernel/readiness.ts"
import { type DhcpMessage, decodeMessage } from "#wire/dhcp/message.ts"
import { DecodeError } from "#wire/window.ts"

export interface Question<T> {
  /** Becomes readable when something has come. */
  readonly fd: number
  readonly send: () => void
  /** The next that has come; undefined: nothing more. */
  readonly receive: () => ({ readonly bytes: Uint8Array } & T) | undefined
  /** Until something is taken, or the time is over. */
  readonly takes: (message: DhcpMessage) => boolean
  readonly firstDelayMs: number
  /** By performance.now(). */
  readonly deadline: number
}

export interface Reply<T> {
  readonly message: DhcpMessage
  readonly arrival: T
}

/** Somewhere around the delay: a fifth more or less. */
const JITTER = 0.4
const LONGEST_DELAY_MS = 64_000

/** That an answer is to this question; nobody shall guess it who does not see the question. */
export function randomXid(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] as number
}

export async function ask<T>(question: Question<T>): Promise<Reply<T> | undefined> {
  const { fd, send, deadline } = question
  for (
    let delayMs = question.firstDelayMs;
    performance.now() < deadline;
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)
  ) {
    send()
    const again = Math.min(deadline, performance.now() + delayMs * (1 + JITTER * (Math.random() - 0.5)))
    for (let left = again - performance.now(); left > 0; left = again - performance.now()) {
      if (await becomesReadable(fd, left)) {
        const reply = firstTaken(question)
        if (reply !== undefined) {
          return reply
        }
      }
    }
  }
  return undefined
}

function firstTaken<T>({ receive, takes }: Question<T>): Reply<T> | undefined {
  for (let arrival = receive(); arrival !== undefined; arrival = receive()) {
    const message = decoded(arrival.bytes)
    if (message !== undefined && message.op === "reply" && takes(message)) {
      return { message, arrival }
    }
  }
  return undefined
}

/** Undefined for what is no DHCP message. */
function decoded(bytes: Uint8Array): DhcpMessage | undefined {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    if (error instanceof DecodeError) {
      return undefined
    }
    throw error
  }
}
