// How a value from outside is shown in a message. What it holds cannot break the line or drive the terminal.

const LONGEST = 80

/** Text in double quotes, escaped and cut short; other values as they would be typed, or by their kind. */
export function quote(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quoteText(value)
    case "number":
    case "boolean":
    case "undefined":
      return String(value)
    case "bigint":
      return `${String(value).slice(0, LONGEST)}n`
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "a list" : "an object"
    default:
      return `a ${typeof value}`
  }
}

function quoteText(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  // JSON.stringify leaves DEL, C1 controls and the bidirectional overrides (Unicode TR 36 §2.4) as they are.
  return JSON.stringify(shown).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}

/** "a", "b" or "c". */
export function alternatives(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`)
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`
}
