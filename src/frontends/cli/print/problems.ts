// What is not as it should be, where nobody overlooks it.

import { type Look, paint, plain } from "./look.ts"
import type { Node } from "./tree.ts"

export function problemNodes(problems: readonly string[], look: Look): readonly Node[] {
  if (problems.length === 0) {
    return []
  }
  return [
    {
      text: paint(look, "red", `problems ("linkspan reconcile" repairs what it can)`),
      children: problems.map((problem) => ({ text: paint(look, "red", plain(problem)) })),
    },
  ]
}
