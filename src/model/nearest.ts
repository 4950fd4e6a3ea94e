// The known word that a mistyped one most likely meant.

/** `undefined` when nothing is near: at most one edit in three letters, case and separators not counted. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const typed = plain(word)
  if (typed.length > 40) {
    return undefined
  }
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(typed.length / 3)) + 1
  for (const candidate of known) {
    const distance = edits(typed, plain(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** A clause for the end of a message, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known)
  return meant === undefined ? "" : `; did you mean "${meant}"?`
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, "")
}

/** Levenshtein's distance, one row at a time. */
function edits(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substituted = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substituted, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    above = current
  }
  return above[b.length] ?? 0
}
