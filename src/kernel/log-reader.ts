// Reads a log whose files are filled in turn (log-files.ts) while it is being written.

import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { logFileCount, logHead, logPart } from "./log-files.ts"

const CHUNK_BYTES = 64 * 1024
const NEWLINE = 10

export class LogReader implements Disposable {
  readonly #head: number
  readonly #files: number[]
  /** Where it goes on: a part, and a byte in it. */
  #part: number
  #at = 0

  /** @param tail begins with that many lines from the end */
  constructor(path: string, tail: number | undefined) {
    this.#head = openSync(logHead(path), "r")
    this.#files = Array.from({ length: logFileCount(path) }, (_, place) => openSync(logPart(path, place), "r"))
    this.#part = this.#eldest()
    if ((tail === undefined || !this.#toTail(tail)) && this.#part > 0) {
      this.#toNextLine()
    }
  }

  /** What there is up to now, in pieces. */
  *rest(): Generator<Uint8Array> {
    for (;;) {
      // Before the read that finds a part's end: all of it had been written when the next one began.
      const newest = this.#newest()
      if (this.#part < this.#eldest()) {
        this.#part = this.#eldest()
        this.#at = 0
      }
      if (this.#part > newest) {
        return // its file is being emptied
      }
      const chunk = this.#read(this.#part, this.#at)
      if (chunk === undefined) {
        continue
      }
      this.#at += chunk.length
      if (chunk.length > 0) {
        yield chunk
      } else if (this.#part === newest) {
        return
      } else {
        this.#part++
        this.#at = 0
      }
    }
  }

  [Symbol.dispose](): void {
    for (const fd of [this.#head, ...this.#files]) {
      closeSync(fd)
    }
  }

  #newest(): number {
    return Math.floor(fstatSync(this.#head).size / 2)
  }

  #eldest(): number {
    return Math.max(0, Math.ceil(fstatSync(this.#head).size / 2) - this.#files.length + 1)
  }

  #file(part: number): number {
    return this.#files[part % this.#files.length] as number
  }

  /** Undefined when the part's file went to another one meanwhile. */
  #read(part: number, at: number, length = CHUNK_BYTES): Uint8Array | undefined {
    const chunk = new Uint8Array(length)
    const got = readSync(this.#file(part), chunk, 0, length, at)
    return part < this.#eldest() ? undefined : chunk.subarray(0, got)
  }

  /** The eldest part begins amid a line. */
  #toNextLine(): void {
    const newline = this.#read(this.#part, 0)?.indexOf(NEWLINE) ?? -1
    this.#at = newline + 1
  }

  /** To where the last `lines` lines begin; false when there are fewer. */
  #toTail(lines: number): boolean {
    let missing = lines
    let last = true
    for (let part = this.#newest(); part >= this.#eldest(); part--) {
      for (let end = fstatSync(this.#file(part)).size; end > 0; ) {
        const start = Math.max(0, end - CHUNK_BYTES)
        const chunk = this.#read(part, start, end - start) ?? new Uint8Array()
        for (let index = chunk.length - 1; index >= 0; index--) {
          // The newline at the very end ends the last line, it does not begin another.
          if (missing === 0 || (chunk[index] === NEWLINE && !last && missing-- === 1)) {
            this.#part = part
            this.#at = start + index + 1
            return true
          }
          last = false
        }
        end = start
      }
    }
    return false
  }
}
