// `linkspan doctor`: a line for each thing that was looked at, and what to type where something is wrong.

import type { Diagnosis, FindingLevel } from "#model/doctor.ts"
import { type Look, type Paint, paint, plain } from "./look.ts"

const MARKS: Readonly<Record<FindingLevel, readonly [mark: string, colour: Paint]>> = {
  ok: ["✔", "green"],
  note: ["·", "dim"],
  warning: ["!", "yellow"],
  error: ["✘", "red"],
}

export function diagnosisText({ repairs, findings }: Diagnosis, look: Look): string {
  return [
    ...repairs.map((repair) => `${paint(look, "green", "repaired")}  ${plain(repair)}`),
    ...findings.flatMap(({ check, level, what, remedy }) => {
      const [mark, colour] = MARKS[level]
      const text = plain(what)
      return [
        `${paint(look, colour, mark)} ${check.padEnd(9)}  ${level === "error" ? paint(look, "red", text) : text}`,
        ...(remedy === undefined || level === "ok" ? [] : [`             ${paint(look, "cyan", plain(remedy))}`]),
      ]
    }),
  ]
    .map((line) => `${line}\n`)
    .join("")
}
