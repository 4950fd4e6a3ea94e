// Aligned columns that fit the terminal.

import { cut, type Look, type Paint, paint, plain, width } from "./look.ts"

export interface Column<T> {
  readonly title: string
  cell(row: T): string
  readonly align?: "right"
  colour?(row: T): Paint | undefined
  /** May be cut when the terminal is too narrow. The widest of these gives way first. */
  readonly gives?: boolean
}

const GAP = "  "
/** Narrower than this a column tells nothing any more. */
const LEAST = 8

export function columns<T>(rows: readonly T[], of: readonly Column<T>[], look: Look): string {
  const cells = rows.map((row) => of.map((column) => plain(column.cell(row))))
  const widths = fitWidths(
    of,
    of.map((column, i) => Math.max(width(column.title), ...cells.map((line) => width(line[i] ?? "")))),
    look,
  )
  const lines = [
    line(
      of.map((column) => column.title),
      of,
      widths,
      (text) => paint(look, "bold", text),
    ),
    ...cells.map((texts, r) =>
      line(texts, of, widths, (text, i) => {
        const row = rows[r]
        const colour = row === undefined ? undefined : of[i]?.colour?.(row)
        return colour === undefined ? text : paint(look, colour, text)
      }),
    ),
  ]
  return lines.map((text) => `${text}\n`).join("")
}

function fitWidths<T>(of: readonly Column<T>[], widths: readonly number[], look: Look): number[] {
  const fitted = [...widths]
  if (look.columns === undefined) {
    return fitted
  }
  let excess = fitted.reduce((sum, each) => sum + each, GAP.length * (fitted.length - 1)) - look.columns
  while (excess > 0) {
    const giving = fitted.map((each, i) => (of[i]?.gives === true && each > LEAST ? each : 0))
    const widest = Math.max(...giving)
    if (widest <= 0) {
      break
    }
    fitted[giving.indexOf(widest)] = widest - 1
    excess--
  }
  return fitted
}

function line<T>(
  texts: readonly string[],
  of: readonly Column<T>[],
  widths: readonly number[],
  coloured: (text: string, i: number) => string,
): string {
  const padded = texts.map((text, i) => {
    const shown = cut(text, widths[i] ?? 0)
    const space = " ".repeat(Math.max(0, (widths[i] ?? 0) - width(shown)))
    return of[i]?.align === "right" ? space + coloured(shown, i) : coloured(shown, i) + space
  })
  return padded.join(GAP).trimEnd()
}
