// --label KEY=VALUE, on everything that can carry labels.

import type { Options } from "../command.ts"
import { keyValue } from "../value.ts"

export const LABEL = {
  label: { kind: "many", short: "l", value: keyValue, about: "Attach a label" },
} as const satisfies Options

/** Later ones win, as in a file of settings. */
export function readLabels(labels: readonly (readonly [string, string])[]): {
  readonly labels?: Readonly<Record<string, string>>
} {
  return labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }
}
