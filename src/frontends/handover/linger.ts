// When a resident process ends that nobody asked for: some minutes after the last call, or soon after it where no
// network is left. It looks once after each call, and is otherwise asleep.

export interface LingerOptions {
  readonly hasNetworks: () => Promise<boolean>
  readonly end: () => void
  /** How long it stays without a call: 5 minutes when absent. */
  readonly lingerMs?: number
  /** How long when nothing is left to be done: 10 s, in which a container that is started anew comes back. */
  readonly emptyMs?: number
}

export class Linger implements Disposable {
  readonly #options: LingerOptions
  readonly #lingerMs: number
  readonly #emptyMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(options: LingerOptions) {
    this.#options = options
    this.#lingerMs = options.lingerMs ?? 300_000
    this.#emptyMs = options.emptyMs ?? 10_000
    this.called()
  }

  /** A call has come. */
  called(): void {
    this.#wait(this.#emptyMs, () => void this.#look())
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    const { hasNetworks, end } = this.#options
    const timer = this.#timer
    // A state that cannot be read any more is of no use to a command either.
    const isNeeded = await hasNetworks().catch(() => false)
    if (timer !== this.#timer) {
      return // Called meanwhile.
    }
    if (isNeeded) {
      this.#wait(Math.max(0, this.#lingerMs - this.#emptyMs), end)
    } else {
      end()
    }
  }

  #wait(ms: number, then: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(then, ms)
  }
}
