// A limit on how fast a container receives or sends: a token bucket, as tc-tbf(8) and the CNI bandwidth plugin have it.

import { type Field, integerFrom, optional, presentOnly, readObject, required } from "./field.ts"

export interface Rate {
  readonly bitsPerSecond: number
  /** How much may go at full speed after a pause. */
  readonly burstBytes: number
}

export interface RateRequest {
  readonly bitsPerSecond: number
  /** What comes in 10 ms at that rate when absent, and never less than one packet. */
  readonly burstBytes?: number
}

/** The largest packet with its Ethernet header: what does not fit the bucket would never get through. */
const LEAST_BURST = 65_550
const MOST_BURST = 0xffff_ffff
const BITS = 8
const PER_SECOND = 100

const readBits = integerFrom(8_000, 1_000_000_000_000)
const readBytes = integerFrom(1, MOST_BURST)

export function readRate(field: Field): Rate | undefined {
  const fields = readObject(field, { bitsPerSecond: true, burstBytes: true } satisfies Record<keyof RateRequest, true>)
  const bitsPerSecond = fields && required(fields.bitsPerSecond, readBits)
  const burst = fields && optional(fields.burstBytes, readBytes)
  if (bitsPerSecond === undefined) {
    return undefined
  }
  const usual = Math.ceil(bitsPerSecond / BITS / PER_SECOND)
  return { bitsPerSecond, burstBytes: Math.min(Math.max(burst ?? usual, LEAST_BURST), MOST_BURST) }
}

export interface Rates {
  /** Of what the container receives. */
  readonly rateIn?: Rate
  /** Of what it sends. */
  readonly rateOut?: Rate
}

export function readRates(fields: { readonly rateIn: Field; readonly rateOut: Field }): Rates {
  return presentOnly({ rateIn: optional(fields.rateIn, readRate), rateOut: optional(fields.rateOut, readRate) })
}

/** "10 Mbit/s" */
export function rateText({ bitsPerSecond }: Pick<Rate, "bitsPerSecond">): string {
  const [divisor, unit] = UNITS.find(([size]) => bitsPerSecond >= size && bitsPerSecond % (size / 1000) === 0) ?? [
    1,
    "",
  ]
  return `${bitsPerSecond / divisor} ${unit}bit/s`
}

const UNITS = [
  [1_000_000_000, "G"],
  [1_000_000, "M"],
  [1_000, "k"],
] as const
