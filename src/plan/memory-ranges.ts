// Free ranges in memory, for tests and for planning without a store.

import type { Subnet } from "#model/network.ts"
import { automaticBounds, type Bounds } from "#model/subnet-bounds.ts"
import { type FreeRanges, initialRanges, type Range } from "./ipam.ts"

export class MemoryFreeRanges implements FreeRanges {
  readonly automatic: Bounds
  cursor: bigint | undefined
  #ranges: readonly Range[]

  constructor(subnet: Pick<Subnet, "prefix" | "gateway" | "range" | "reserved">) {
    this.automatic = automaticBounds(subnet)
    this.#ranges = initialRanges(subnet)
  }

  setCursor(n: bigint): void {
    this.cursor = n
  }

  atOrBefore(n: bigint): Range | undefined {
    return this.#ranges.findLast(({ first }) => first <= n)
  }

  after(n: bigint): Range | undefined {
    return this.#ranges.find(({ first }) => first > n)
  }

  replace(old: readonly Range[], next: readonly Range[]): void {
    const kept = this.#ranges.filter((range) => !old.some(({ first }) => first === range.first))
    this.#ranges = [...kept, ...next].sort((a, b) => (a.first < b.first ? -1 : 1))
  }

  /** In ascending order. */
  all(): readonly Range[] {
    return this.#ranges
  }
}
