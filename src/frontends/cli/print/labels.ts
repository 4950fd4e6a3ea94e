// Labels as they were written.

import { plain } from "./look.ts"
import type { Node } from "./tree.ts"

export function labelNodes(labels: Readonly<Record<string, string>>): readonly Node[] {
  const written = Object.entries(labels).map(([key, value]) => plain(`${key}=${value}`))
  return written.length === 0 ? [] : [{ text: `labels ${written.join(", ")}` }]
}
