// Reading bytes that somebody else sent: a window is the part of a message that one value may look at. It knows where
// it stands and what it is called, so whatever does not fit is reported with its path and offset.

/** Bytes that do not have the shape that their place demands. `offset` counts from the start of the message. */
export class DecodeError extends Error {
  override readonly name = "DecodeError"
  readonly path: string
  readonly offset: number

  constructor(path: string, offset: number, message: string) {
    super(`${path}: ${message} (offset ${offset})`)
    this.path = path
    this.offset = offset
  }
}

/**
 * A part of a copied message. The copy is one for the whole message, and the array is made when it is asked for: a
 * link has some thirty attributes that nobody reads, and an array for each was two thirds of the time of a dump.
 */
export class Kept {
  readonly #copy: Uint8Array
  readonly #start: number
  readonly #end: number

  constructor(copy: Uint8Array, start: number, end: number) {
    this.#copy = copy
    this.#start = start
    this.#end = end
  }

  get length(): number {
    return this.#end - this.#start
  }

  get bytes(): Uint8Array {
    return this.#copy.subarray(this.#start, this.#end)
  }
}

export class Window {
  /** The message as a whole; the window is [start, end) of it. */
  readonly view: DataView
  readonly start: number
  readonly end: number
  readonly #message: Uint8Array
  readonly #name: string
  readonly #parent: Window | undefined
  readonly #root: Window
  #copy: Uint8Array | undefined

  private constructor(
    message: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    name: string,
    parent: Window | undefined,
  ) {
    this.view = view
    this.start = start
    this.end = end
    this.#message = message
    this.#name = name
    this.#parent = parent
    this.#root = parent === undefined ? this : parent.#root
  }

  static of(message: Uint8Array, name: string): Window {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
    return new Window(message, view, 0, message.length, name, undefined)
  }

  get length(): number {
    return this.end - this.start
  }

  /** A view into the message, not a copy. */
  get bytes(): Uint8Array {
    return this.#message.subarray(this.start, this.end)
  }

  /** The names of the windows around this one and its own: "RTM_NEWLINK.linkInfo.data". Put together only for an error. */
  get path(): string {
    return this.#parent === undefined ? this.#name : `${this.#parent.path}.${this.#name}`
  }

  /** A part of this window, by offsets within it. */
  sub(start: number, end: number, name: string): Window {
    return new Window(this.#message, this.view, this.start + start, this.start + end, name, this)
  }

  /** Bytes by offsets within this window, which stay what they are when the message's buffer is used again. */
  keep(start: number, end: number): Kept {
    const root = this.#root
    root.#copy ??= root.bytes.slice()
    return new Kept(root.#copy, this.start + start - root.start, this.start + end - root.start)
  }

  /** The same part of the message under a name of its own, from which paths start anew. */
  named(name: string): Window {
    return new Window(this.#message, this.view, this.start, this.end, name, undefined)
  }

  /** @param at where in the window the fault is */
  fail(message: string, at = 0): never {
    throw new DecodeError(this.path, this.start + at, message)
  }

  /** The message's view, in which the window's first byte stands at `start`; sure to hold `size` bytes for a `what`. */
  need(size: number, what: string): DataView {
    if (this.end - this.start < size) {
      this.fail(`${what} needs ${count(size)}, got ${this.length}`)
    }
    return this.view
  }

  /** The same when the window must not be longer either. */
  exactly(size: number, what: string): DataView {
    if (this.end - this.start !== size) {
      this.fail(`${what} needs ${count(size)}, got ${this.length}`)
    }
    return this.view
  }
}

/** "1 byte", "2 bytes". */
export function count(bytes: number): string {
  return `${bytes} byte${bytes === 1 ? "" : "s"}`
}
