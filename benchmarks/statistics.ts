// Medians, quantiles and ratios of interleaved samples.

/** Linear interpolation between closest ranks. @throws on an empty list */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const low = sorted[Math.floor(at)]
  const high = sorted[Math.ceil(at)]
  if (low === undefined || high === undefined) {
    throw new Error("quantile of no samples")
  }
  return low + (high - low) * (at - Math.floor(at))
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5)
}

export interface Summary {
  readonly n: number
  readonly median: number
  readonly p10: number
  readonly p90: number
}

export function summarize(samples: readonly number[]): Summary {
  return {
    n: samples.length,
    median: median(samples),
    p10: quantile(samples, 0.1),
    p90: quantile(samples, 0.9),
  }
}

export interface RatioSummary extends Summary {
  /** 95 % interval of the median (bootstrap over rounds). */
  readonly low: number
  readonly high: number
}

/** Sample i of both sides was taken in round i, so that what disturbs a whole round cancels out. */
export function pairedRatio(of: readonly number[], to: readonly number[]): RatioSummary {
  const rounds = Math.min(of.length, to.length)
  const ratios = Array.from({ length: rounds }, (_, i) => (of[i] ?? Number.NaN) / (to[i] ?? Number.NaN))
  const [low, high] = bootstrapMedian(ratios)
  return { ...summarize(ratios), low, high }
}

const RESAMPLES = 2000

function bootstrapMedian(samples: readonly number[]): readonly [number, number] {
  const random = mulberry32(samples.length)
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(samples.map(() => samples[Math.floor(random() * samples.length)] ?? Number.NaN)),
  )
  return [quantile(medians, 0.025), quantile(medians, 0.975)]
}

/** A small generator with a fixed seed: the same samples always give the same interval. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Least squares: growth per sample. */
export function slope(values: readonly number[]): number {
  const n = values.length
  const meanX = (n - 1) / 2
  const meanY = values.reduce((sum, value) => sum + value, 0) / n
  let above = 0
  let below = 0
  values.forEach((value, x) => {
    above += (x - meanX) * (value - meanY)
    below += (x - meanX) ** 2
  })
  return below === 0 ? 0 : above / below
}
