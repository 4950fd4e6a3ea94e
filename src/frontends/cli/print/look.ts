// How output may look where it goes: on a terminal with colours and a width, or as plain text of any width.

export interface Look {
  readonly colour: boolean
  /** Width of the terminal; absent where lines may be as long as they like. */
  readonly columns?: number | undefined
}

export const PLAIN: Look = { colour: false }

/** ECMA-48 §8.3.117, select graphic rendition. */
const SGR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const
export type Paint = keyof typeof SGR

export function paint(look: Look, colour: Paint, text: string): string {
  return look.colour && text !== "" ? `\u001b[${SGR[colour]}m${text}\u001b[0m` : text
}

/**
 * Control characters and bidirectional overrides (Unicode TR 36 §2.4) made visible, so that no label, command or kernel
 * string can drive the terminal.
 */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (char) => {
    const code = char.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`
  })
}

/** Cells that a text takes on a terminal, colours not counted. */
export function width(text: string): number {
  return Bun.stringWidth(text)
}

/** Cuts at the end so that the text takes at most `columns` cells, the last of them "…". Takes unpainted text. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) {
    return text
  }
  let kept = ""
  for (const char of text) {
    if (width(kept + char) > columns - 1) {
      break
    }
    kept += char
  }
  return `${kept}…`
}
