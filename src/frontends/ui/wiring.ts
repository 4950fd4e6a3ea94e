// The wiring as a stream of lines, for as many readers as there are: read when something has happened, and now and then
// for what nobody tells of (counters, a cable that somebody pulled).

import type { LinkspanApi } from "#engine/linkspan.ts"

/** Events in quick succession are one change. */
const SETTLE_MS = 40
const LEAST_PAUSE_MS = 1000
/** Reading may take a tenth of the time, however many containers there are. */
const SHARE = 10

export class Wiring implements Disposable {
  readonly #linkspan: LinkspanApi
  readonly #readers = new Set<ReadableStreamDefaultController<Uint8Array>>()
  readonly #ended = new AbortController()
  #wake: () => void = () => undefined
  #running = false

  constructor(linkspan: LinkspanApi) {
    this.#linkspan = linkspan
  }

  /** Ends when the signal says so, or when this is disposed of. */
  lines(signal: AbortSignal): ReadableStream<Uint8Array> {
    let reader: ReadableStreamDefaultController<Uint8Array> | undefined
    const leave = (): void => {
      if (reader !== undefined && this.#readers.delete(reader)) {
        reader.close()
      }
    }
    return new ReadableStream({
      start: (controller) => {
        reader = controller
        this.#readers.add(controller)
        signal.addEventListener("abort", leave)
        this.#wake()
        if (!this.#running) {
          void this.#run()
        }
      },
      cancel: () => {
        if (reader !== undefined) {
          this.#readers.delete(reader)
        }
      },
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    const watcher = await this.#linkspan.watchState(() => this.#wake())
    try {
      while (this.#readers.size > 0 && !this.#ended.signal.aborted) {
        const before = performance.now()
        const line = new TextEncoder().encode(`${JSON.stringify(await this.#linkspan.topology())}\n`)
        for (const reader of this.#readers) {
          reader.enqueue(line)
        }
        await this.#pause(Math.max(LEAST_PAUSE_MS, SHARE * (performance.now() - before)))
      }
    } finally {
      watcher[Symbol.dispose]()
      this.#running = false
    }
  }

  async #pause(longestMs: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    await Promise.race([woken, Bun.sleep(longestMs)])
    await Bun.sleep(SETTLE_MS)
  }

  [Symbol.dispose](): void {
    this.#ended.abort()
    for (const reader of this.#readers) {
      reader.close()
    }
    this.#readers.clear()
    this.#wake()
  }
}
