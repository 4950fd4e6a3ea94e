// One UDP socket that carries several questions to a server at once, told apart by their ids.

import { u16 } from "#wire/dns/bytes.ts"
import { HEADER_BYTES } from "#wire/dns/constants.ts"
import type { Line, LineEvents } from "./upstream-line.ts"

export interface SharedLineOptions {
  /** So many it carries in its life. */
  readonly questions: number
  /** No more questions may be asked; may be called more than once. */
  readonly onEnd: () => void
}

export class SharedLine {
  readonly #waiting = new Map<number, LineEvents>()
  readonly #onEnd: () => void
  #line: Line | undefined
  /** What is to be sent as soon as the socket is there. */
  #unsent: Uint8Array[] = []
  /** How many questions it may still take. */
  #left: number
  #hasFailed = false

  constructor(open: (events: LineEvents) => Promise<Line>, { questions, onEnd }: SharedLineOptions) {
    this.#left = questions
    this.#onEnd = onEnd
    const events: LineEvents = {
      message: (bytes) => {
        if (bytes.length >= HEADER_BYTES) {
          this.#waiting.get(u16(bytes, 0))?.message(bytes)
        }
      },
      failure: () => this.#fail(),
    }
    open(events).then(
      (line) => {
        this.#line = line
        const messages = this.#unsent
        this.#unsent = []
        for (const message of messages) {
          this.#send(message)
        }
        this.#closeWhenDone()
      },
      () => this.#fail(),
    )
  }

  /** Whether a question with this id can be told from those that wait. */
  takes(id: number): boolean {
    return !this.#waiting.has(id)
  }

  /** @returns what ends the waiting; it has to be called once the answer is there, too. */
  ask(query: Uint8Array, events: LineEvents): () => void {
    const id = u16(query, 0)
    this.#waiting.set(id, events)
    this.#send(query)
    if (--this.#left === 0) {
      this.retire()
    }
    return () => {
      if (this.#waiting.get(id) === events) {
        this.#waiting.delete(id)
        this.#closeWhenDone()
      }
    }
  }

  /** Takes no more questions, and closes when the last one has its answer. */
  retire(): void {
    this.#left = 0
    this.#onEnd()
    this.#closeWhenDone()
  }

  #send(message: Uint8Array): void {
    if (this.#line === undefined) {
      this.#unsent.push(message)
      return
    }
    try {
      this.#line.send(message)
    } catch {
      // What the last packet met comes back with the next call: nobody listens, no way there.
      queueMicrotask(() => this.#fail())
    }
  }

  #fail(): void {
    if (this.#hasFailed) {
      return
    }
    this.#hasFailed = true
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    this.retire()
    for (const events of waiting) {
      events.failure()
    }
  }

  #closeWhenDone(): void {
    if (this.#left <= 0 && this.#waiting.size === 0) {
      this.#line?.[Symbol.dispose]()
      this.#line = undefined
    }
  }
}
