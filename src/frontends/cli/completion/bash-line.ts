// bash hands over the line as it was typed. It also splits words at ":" and "=", which linkspan's do not end at, so the
// words are found here, and what bash believes to be the current word is cut off the answers.

export interface BashLine {
  /** Without the command itself and without the current word. */
  readonly words: readonly string[]
  readonly current: string
  /** How much of the current word bash takes for an earlier word. */
  readonly keeps: number
}

export function readBashLine(line: string, point: number, wordBreaks: string): BashLine {
  const words = splitWords(line.slice(0, point))
  const current = words.at(-1) ?? ""
  const breaks = [...wordBreaks].filter((char) => char === ":" || char === "=")
  return {
    words: words.slice(1, -1),
    current,
    keeps: Math.max(...breaks.map((char) => current.lastIndexOf(char) + 1), 0),
  }
}

/** Words with quotes and backslashes taken off; the last one is the current word, "" after a blank. */
function splitWords(line: string): string[] {
  const words: string[] = []
  let word = ""
  let begun = false
  let quote = ""
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? ""
    if (quote === "" && /\s/.test(char)) {
      if (begun) {
        words.push(word)
      }
      word = ""
      begun = false
      continue
    }
    begun = true
    if (char === "\\" && quote !== "'") {
      word += line[++at] ?? ""
    } else if (char === quote) {
      quote = ""
    } else if (quote === "" && (char === '"' || char === "'")) {
      quote = char
    } else {
      word += char
    }
  }
  return [...words, word]
}
