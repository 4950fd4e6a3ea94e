// What a resolver has done since it was made, as counters.

import type { NameCounters } from "#model/view.ts"

export type Statistics = { -readonly [Counter in keyof NameCounters]: NameCounters[Counter] }

export function noStatistics(): Statistics {
  return { queries: 0, local: 0, cached: 0, forwarded: 0, failed: 0, refused: 0, malformed: 0 }
}
